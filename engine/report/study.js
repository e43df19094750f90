// The charts of a study's page: heat maps of pairs, one parameter's profile, all at once, the front, the history.
(() => {
  "use strict";
  const { data, redraws, colour, escape, make, shown, tick, title, setText, rowText, scaleOf, range, chart, lines, tooltip, choice, key } = studyTools;
  const MARK = "#c2002f", FRONT = "#d55e00", BEST = "#d55e00";
  const FEW_MAPS = 6;

  function heatMaps(place) {
    const state = { objective: 0, statistic: 3 };
    const legend = key();
    const controls = make("div", { className: "controls" },
      choice("Of the trials in a cell", "statistic", [["3", "median"], ["2", "best"]], (value) => update({ statistic: +value })));
    if (data.objectives.length > 1) {
      controls.append(choice("Objective", "map-objective", data.objectives.map((each, index) => [String(index), each.label]),
        (value) => update({ objective: +value })));
    }
    controls.append(legend.element);
    const panels = make("div", { className: "panels" });
    place.append(controls, panels);
    const charts = [];
    const limits = () => range(data.maps[state.objective].flatMap((map) => map.cells.map((cell) => cell[state.statistic])),
      data.objectives[state.objective].maximize);

    const add = (index) => {
      const map = data.maps[0][index];
      const across = data.axes[map.x], up = data.axes[map.y];
      const panel = make("div", { className: "panel" });
      panel.append(make("h3", { textContent: `${across.name} × ${up.name}` }));
      panels.append(panel);
      const names = Math.max(...map.rows.map((name) => name.length));
      const left = Math.min(30 + names * 6.6, 150);
      charts.push(chart(panel, Math.min(Math.max(map.rows.length * 26, 110), 420) + 62, (width) => {
        const objective = data.objectives[state.objective];
        const { cells, best, columns, rows } = data.maps[state.objective][index];
        const [low, high] = limits();
        const room = (width - left - 12) / columns.length;
        const digits = objective.unit.startsWith("percent") ? 1 : 2;
        const isBest = (cell) => best && cell[0] === best[0] && cell[1] === best[1];
        const points = cells.map((cell) => {
          const share = (Math.min(Math.max(cell[state.statistic], low), high) - low) / (high - low);
          return {
            value: [cell[0], cell[1], cell[state.statistic]],
            all: cell,
            label: { color: (objective.maximize ? share : 1 - share) > 0.55 ? "#111" : "#fff" },
            itemStyle: isBest(cell) ? { borderColor: MARK, borderWidth: 3 } : { borderColor: colour("paper"), borderWidth: 0.5 },
          };
        });
        // Drawn last, so that no neighbour covers its frame.
        points.sort((one, two) => Boolean(isBest(one.all)) - Boolean(isBest(two.all)));
        const category = (values, name, gap) => ({
          ...lines(), type: "category", data: values, name, nameGap: gap, splitLine: { show: false }, axisLine: { show: false },
        });
        return {
          grid: { left, right: 12, top: 16, bottom: 46 },
          xAxis: category(columns, across.name, 27),
          yAxis: category(rows, up.name, left - 16),
          visualMap: { show: false, type: "continuous", dimension: 2, min: low, max: high, inRange: { color: scaleOf(objective) } },
          tooltip: tooltip((point) => {
            const cell = point.data.all;
            return [`${escape(across.name)} ${escape(columns[cell[0]])}, ${escape(up.name)} ${escape(rows[cell[1]])}`,
              `median ${shown(objective, cell[3])}`, `best ${shown(objective, cell[2])}`,
              `${cell[4]} trial${cell[4] === 1 ? "" : "s"}`, ...(isBest(cell) ? ["the best trial is here"] : [])].join("<br>");
          }),
          series: [{ type: "heatmap", data: points, emphasis: { itemStyle: { borderColor: colour("ink"), borderWidth: 2 } },
            label: { show: room >= 42 && 420 / rows.length >= 16, fontSize: 11, formatter: (point) => shown(objective, point.value[2], digits) } }],
        };
      }));
    };
    function update(change) {
      Object.assign(state, change);
      legend.show(data.objectives[state.objective], limits());
      charts.forEach((each) => each.draw());
    }
    const total = data.maps[0].length;
    for (let index = 0; index < Math.min(total, FEW_MAPS); index += 1) add(index);
    if (total > FEW_MAPS) {
      const more = make("button", { className: "more", type: "button", textContent: `Show all ${total} pairs` });
      more.addEventListener("click", () => {
        more.remove();
        for (let index = FEW_MAPS; index < total; index += 1) add(index);
      });
      place.append(more);
    }
    update({});
  }

  function profile(place) {
    data.profiles.forEach(({ names, cells }, index) => {
      const objective = data.objectives[index];
      const many = cells.some((cell) => cell[3] > 1);
      const series = [[1, many ? "best" : objective.label, BEST], ...(many ? [[2, "median", colour("accent")]] : [])];
      chart(place, 300, () => ({
        grid: { left: 66, right: 18, top: 36, bottom: 50 },
        legend: { show: many, top: 0, left: 60, textStyle: { color: colour("ink") } },
        xAxis: { ...lines(), type: "category", data: names, name: data.axes[0].name, nameGap: 30, splitLine: { show: false } },
        yAxis: { ...lines(), type: "value", scale: true, name: title(objective), nameGap: 48, axisLabel: { ...lines().axisLabel, formatter: tick(objective) } },
        tooltip: tooltip((point) => `${escape(data.axes[0].name)} ${escape(names[point.value[0]])}<br>${escape(point.seriesName)} ${shown(objective, point.value[1])}`),
        series: series.map(([column, name, ink]) => ({
          name, type: "line", symbol: column === 1 ? "circle" : "rect", symbolSize: 7, color: ink, lineStyle: { width: 1.6 },
          data: cells.map((cell) => [cell[0], cell[column]]),
        })),
      }));
    });
  }

  function parallel(place) {
    const first = data.objectives[0];
    const legend = key();
    const limits = range(data.rows.map((row) => row[2][0]), first.maximize);
    legend.show(first, limits);
    const chosen = make("div", { className: "chosen" });
    const scroll = make("div", { className: "scroll" });
    const inner = make("div");
    scroll.append(inner);
    place.append(make("div", { className: "controls" }, legend.element), scroll, chosen);
    const count = data.axes.length + data.objectives.length;
    inner.style.minWidth = `${count * 92}px`;
    // Worst first, so that the best lines lie on top.
    const rows = [...data.rows].reverse();
    const values = rows.map((row) => [...row[1], ...row[2]]);
    const axes = () => [
      ...data.axes.map((axis, dim) => (axis.scale
        ? { dim, name: axis.name, type: axis.log ? "log" : "value", min: axis.low, max: axis.high, scale: true,
          axisLabel: { formatter: (value) => String(+value.toPrecision(4)), hideOverlap: true } }
        : { dim, name: axis.name, type: "category", data: axis.names })),
      ...data.objectives.map((objective, index) => ({
        dim: data.axes.length + index, name: objective.label, type: "value", scale: true, inverse: !objective.maximize,
        nameLocation: objective.maximize ? "end" : "start", // names stand above, also where better is less
        axisLabel: { formatter: tick(objective), hideOverlap: true }, nameTextStyle: { fontWeight: 700 },
      })),
    ];
    const { drawn } = chart(inner, 420, (width) => {
      const apart = (width - 130) / Math.max(count - 1, 1);
      return {
        parallel: {
          left: 50, right: 80, top: 62, bottom: 26,
          parallelAxisDefault: {
            nameLocation: "end", nameGap: 16, realtime: true,
            nameTextStyle: { color: colour("ink"), fontSize: 12, width: Math.min(apart - 8, 130), overflow: "break", lineHeight: 14 },
            axisLine: { lineStyle: { color: colour("muted"), width: 1.2 } },
            axisTick: { lineStyle: { color: colour("muted") } },
            axisLabel: { color: colour("ink"), fontSize: 11.5, textBorderColor: colour("paper"), textBorderWidth: 3 },
            areaSelectStyle: { width: 18, borderColor: MARK, color: MARK, opacity: 0.18 },
          },
        },
        // Above the lines, so that its labels can be read.
        parallelAxis: axes().map((axis) => ({
          ...axis,
          z: 10,
          nameTextStyle: { color: colour("ink"), fontSize: 12, width: Math.min(apart - 8, 130), overflow: "break", lineHeight: 14, ...(axis.nameTextStyle || {}) },
          axisLabel: { color: colour("ink"), fontSize: 11.5, textBorderColor: colour("paper"), textBorderWidth: 3, width: Math.max(apart - 20, 40), overflow: "truncate", ...(axis.axisLabel || {}) },
        })),
        visualMap: { show: false, dimension: data.axes.length, min: limits[0], max: limits[1], inRange: { color: scaleOf(first) } },
        series: [{
          type: "parallel", data: values, silent: true, progressive: 0, inactiveOpacity: 0.03, activeOpacity: 0.9,
          lineStyle: { width: rows.length > 300 ? 1 : 1.4, opacity: rows.length > 300 ? 0.45 : 0.7 },
        }],
      };
    });
    drawn.on("axisareaselected", () => {
      const series = drawn.getModel().getSeriesByIndex(0);
      const kept = series.getRawIndicesByActiveState("active");
      const brushed = kept.length && kept.length < rows.length;
      if (!brushed) {
        chosen.textContent = kept.length ? "" : series.getRawIndicesByActiveState("inactive").length ? "No line passes there." : "";
        return;
      }
      const best = rows[Math.max(...kept)];
      chosen.textContent = `${kept.length} of ${rows.length} lines; the best: trial ${best[0]}, ` +
        `${data.objectives.map((each, index) => `${each.label} ${shown(each, best[2][index])}`).join(", ")}, ${setText(best[1])}`;
    });
  }

  function front(place) {
    const state = { x: 1, y: 0 };
    const pairs = [];
    data.objectives.forEach((_, y) => data.objectives.forEach((__, x) => { if (y < x) pairs.push([y, x]); }));
    let made;
    if (pairs.length > 1) {
      place.append(make("div", { className: "controls" }, choice("Objectives", "front-pair",
        pairs.map(([y, x], index) => [String(index), `${data.objectives[y].label} against ${data.objectives[x].label}`]),
        (value) => { [state.y, state.x] = pairs[+value]; made.draw(); })));
    }
    made = chart(place, 380, () => {
      const [x, y] = [data.objectives[state.x], data.objectives[state.y]];
      const point = (row) => ({ value: [row[2][state.x], row[2][state.y]], row });
      const of = (test) => data.rows.filter(test).map(point);
      const members = of((row) => row[4]).sort((one, two) => one.value[0] - two.value[0]);
      const aim = (objective) => `${title(objective)} (${objective.maximize ? "higher" : "lower"} is better)`;
      const axis = (objective, gap) => ({ ...lines(), type: "value", scale: true, name: aim(objective), nameGap: gap, axisLabel: { ...lines().axisLabel, formatter: tick(objective) } });
      return {
        grid: { left: 72, right: 20, top: 40, bottom: 52 },
        legend: { top: 0, left: 60, textStyle: { color: colour("ink") } },
        xAxis: axis(x, 30), yAxis: axis(y, 52),
        tooltip: tooltip((item) => (item.data && item.data.row ? rowText(item.data.row, "<br>") : "")),
        series: [
          { name: "others", type: "scatter", symbolSize: 6, color: colour("accent"), itemStyle: { opacity: 0.4 }, data: of((row) => !row[4] && row[3]) },
          ...(data.constrained ? [{ name: "miss a constraint", type: "scatter", symbol: "triangle", symbolSize: 6, color: colour("muted"), itemStyle: { opacity: 0.5 }, data: of((row) => !row[3]) }] : []),
          { name: "Pareto front", type: "line", symbol: "diamond", symbolSize: 11, color: FRONT, z: 5, data: members,
            itemStyle: { borderColor: colour("paper"), borderWidth: 1 },
            lineStyle: { width: data.objectives.length === 2 ? 1.5 : 0, type: "dashed" }, step: false },
        ],
      };
    });
  }

  function history(place) {
    const objective = data.objectives[0];
    const of = (feasible) => data.history.points.filter((point) => Boolean(point[2]) === feasible).map((point) => [point[0], point[1]]);
    // Early failures of a search lie far off; the axis shows where the bulk is.
    const all = data.history.points.map((point) => point[1]).sort((one, two) => one - two);
    const at = (share) => all[Math.min(all.length - 1, Math.floor(share * all.length))];
    const spread = at(0.75) - at(0.25) || Math.abs(at(0.5)) * 0.1 || 1;
    chart(place, 300, () => ({
      grid: { left: 72, right: 20, top: 40, bottom: 50 },
      legend: { top: 0, left: 60, textStyle: { color: colour("ink") } },
      xAxis: { ...lines(), type: "value", min: 0, max: "dataMax", name: "trial", nameGap: 28, splitLine: { show: false } },
      yAxis: { ...lines(), type: "value", scale: true, name: title(objective), nameGap: 52, axisLabel: { ...lines().axisLabel, formatter: tick(objective) },
        min: objective.maximize && all[0] < at(0.25) - 4 * spread ? +(at(0.25) - 4 * spread).toPrecision(2) : undefined,
        max: !objective.maximize && all[all.length - 1] > at(0.75) + 4 * spread ? +(at(0.75) + 4 * spread).toPrecision(2) : undefined },
      tooltip: tooltip((point) => `trial ${point.value[0]}<br>${shown(objective, point.value[1])}`),
      series: [
        { name: "a trial", type: "scatter", symbolSize: 5, color: colour("accent"), itemStyle: { opacity: 0.5 }, data: of(true) },
        ...(data.constrained ? [{ name: "misses a constraint", type: "scatter", symbol: "triangle", symbolSize: 6, color: colour("muted"), itemStyle: { opacity: 0.6 }, data: of(false) }] : []),
        { name: "best so far", type: "line", step: "end", symbol: "none", color: BEST, lineStyle: { width: 2 }, data: data.history.best },
      ],
    }));
  }

  const drawers = { maps: heatMaps, profile, "parallel-chart": parallel, "front-chart": front, "history-chart": history };
  for (const [name, draw] of Object.entries(drawers)) {
    const place = document.getElementById(name);
    if (place) draw(place);
  }
  const again = () => redraws.forEach((draw) => draw());
  let waiting;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(again, 120); });
  window.addEventListener("beforeprint", again);
  window.addEventListener("afterprint", again);
  window.matchMedia("print").addEventListener("change", again);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
})();
