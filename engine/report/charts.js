// The charts of a page, drawn over their still pictures from the block "charts-data"; tables that sort; what scrolls.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("charts-data").textContent);
  const LEFT = 58, RIGHT = 14, GAP = 40, FOOT = 30, ROW = 16, NARROW = 620, STAMP = 110, TITLE = 17;
  // A legend turns no symbol, so that what points down is a shape of its own.
  const SYMBOLS = { points: "circle", up: "triangle", down: "path://M0 0H10L5 10Z" };
  const RANGES = [["1 m", 21], ["3 m", 63], ["6 m", 126], ["1 y", 244], ["3 y", 732], ["all", 0]];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const make = (name, options = {}, ...children) => {
    const element = Object.assign(document.createElement(name), options);
    element.append(...children);
    return element;
  };
  const grouped = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const shown = (value, scale) => (value === null || value === undefined ? "n/a"
    : scale === "percent" ? `${grouped(value * 100, 2)}%` : grouped(value, scale === "count" ? 0 : 3));
  const tick = (scale) => (value) => (scale === "percent" ? `${+(value * 100).toFixed(6)}%`
    : Math.abs(value) >= 1e9 ? `${+(value / 1e9).toFixed(3)}bn`
      : Math.abs(value) >= 1e5 ? `${+(value / 1e6).toFixed(3)}m` : String(+value.toFixed(6)));
  const cut = (text, room) => (text.length <= room ? text : `${text.slice(0, room - 1)}…`);
  // The lines of a title, broken between words; the first leaves room for the stamp.
  const pen = document.createElement("canvas").getContext("2d");
  const broken = (title, room, first) => {
    pen.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
    const found = [""];
    for (const word of title.split(" ")) {
      const longer = `${found.at(-1)} ${word}`.trim();
      if (found.at(-1) && pen.measureText(longer).width > (found.length > 1 ? room : first)) found.push(word);
      else found[found.length - 1] = longer;
    }
    return found;
  };
  const charts = new Map(data.charts.map((each) => [each.name, each]));
  const live = [];

  // Values by row of the axis, for the hover text.
  const atRows = (series) => {
    const found = new Map();
    (series.values || []).forEach((value, index) => {
      const row = series.at ? series.at[index] : index;
      if (value !== null && !found.has(row)) found.set(row, value);
    });
    return found;
  };
  const heldAt = (series, row) => series.runs
    .filter(([, first, values]) => first <= row && row < first + values.length)
    .map(([label, first, values]) => [series.labels[label], values[row - first]]);
  const inSpells = (series, row) => series.at.some((first, index) => first <= row && row <= series.low[index]);

  function told(chart, row) {
    const found = [];
    for (const panel of chart.panels) {
      const lines = [];
      for (const each of panel.series) {
        if (each.kind === "ribbon") {
          const held = heldAt(each, row).sort((one, two) => two[1] - one[1]);
          held.slice(0, 10).forEach(([label, value]) => lines.push([label, shown(value, panel.scale), each.colour]));
          if (held.length > 10) lines.push([`and ${held.length - 10} more`, "", each.colour]);
        } else if (each.kind === "shade") {
          if (inSpells(each, row)) lines.push([each.name, "", each.colour]);
        } else if (each.kind === "flags") {
          each.at.forEach((place, index) => { if (place === row) lines.push([each.labels[index], "", each.colour]); });
        } else {
          if (!each.rows) each.rows = atRows(each);
          if (!each.rows.has(row)) continue;
          const name = each.name.split("  ")[0];
          const upper = shown(each.rows.get(row), panel.scale);
          const text = ["band", "ranges"].includes(each.kind) ? `${shown(each.low[row], panel.scale)} to ${upper}` : upper;
          lines.push([name, text, each.colour]);
        }
      }
      if (lines.length) found.push([panel.title, lines]);
    }
    return found;
  }
  const asHtml = (title, panels, room) => `<b>${escape(title)}</b><table class="tip">${panels.map(([panel, lines]) =>
    `<tr><th colspan="2">${escape(cut(panel, room + 10))}</th></tr>${lines.map(([name, value, ink]) =>
      `<tr><td><i style="background:${colour(ink)}"></i>${escape(name)}</td><td>${value}</td></tr>`).join("")}`).join("")}</table>`;
  const asText = (title, panels) => `${title}. ${panels.map(([panel, lines]) =>
    `${panel}: ${lines.map(([name, value]) => `${name} ${value}`.trim()).join(", ")}.`).join(" ")}`;

  // One option for the whole figure: panels are grids one above the other, which share zoom and pointer.
  function option(chart, width, state) {
    const axis = data.axes[chart.axis];
    const narrow = width < NARROW;
    const labels = chart.panels.flatMap((panel) => panel.series.flatMap((each) => (each.kind === "ribbon" ? each.labels : [])));
    const wide = (text) => [...text].reduce((sum, sign) => sum + (sign.charCodeAt(0) > 0x2e80 ? 12 : 6.6), 12);
    const short = (label) => (narrow ? label.split(" ")[0] : label);
    const left = Math.max(narrow ? 48 : LEFT, ...labels.map((label) => Math.min(wide(short(label)) + 4, 200)));
    // A few words below an axis are all shown, on as many lines as they need.
    const room = (width - left - RIGHT) / axis.length - 8;
    const words = chart.kind === "names" && room > 40 && axis.some((each) => / /.test(each));
    const lines = words ? Math.max(...axis.map((each) => broken(each, room, room).length)) : 1;
    const grids = [], xs = [], ys = [], titles = [], series = [], legend = [];
    let top = 0;
    chart.panels.forEach((panel, index) => {
      const ribbon = panel.series.find((each) => each.kind === "ribbon");
      const named = panel.series.filter((each) => each.name && each.kind !== "ribbon");
      const several = named.length > 1;
      const title = broken(panel.title, width - 10, width - (data.stamp && !index ? STAMP : 10));
      titles.push({ text: title.join("\n"), left: 0, top, textStyle: { color: colour("ink"), fontSize: 13, fontWeight: 600, lineHeight: TITLE, width, overflow: "truncate" } });
      top += 22 + TITLE * (title.length - 1);
      if (several) {
        let rows = 1, used = 0;
        named.forEach((each) => {
          const needs = 24 + wide(each.name);
          if (used && used + needs > width - 10) { rows += 1; used = 0; }
          used += needs;
        });
        legend.push({ type: "plain", top, left: 0, itemWidth: 14, itemHeight: 8, itemGap: 14, data: named.map((each) => each.name),
          textStyle: { color: colour("ink"), fontSize: 12 }, inactiveColor: colour("grid"), selected: state.selected });
        top += 22 * rows + 4;
      } else if (!ribbon) top += 6;
      const height = ribbon ? ROW * ribbon.labels.length : panel.height;
      grids.push({ left, right: RIGHT, top, height, containLabel: false });
      top += height + (index === chart.panels.length - 1 ? 0 : GAP - 18);
      const last = index === chart.panels.length - 1;
      xs.push({ gridIndex: index, type: chart.kind === "numbers" ? "value" : "category", scale: true,
        data: chart.kind === "numbers" ? undefined : axis, boundaryGap: true,
        axisLine: { lineStyle: { color: colour("muted") }, onZero: false }, axisTick: { show: false }, splitLine: { show: false },
        axisLabel: { show: last, color: colour("ink"), fontSize: 11.5, lineHeight: words ? 14 : undefined, hideOverlap: true, interval: words ? 0 : undefined,
          alignMinLabel: chart.zoom ? "left" : undefined, alignMaxLabel: chart.zoom ? "right" : undefined,
          formatter: words ? (label) => broken(label, room, room).join("\n") : chart.kind === "numbers" ? tick(chart.axisScale) : undefined },
        name: last ? chart.axisTitle : "", nameLocation: "middle", nameGap: 28 + 14 * (lines - 1), nameTextStyle: { color: colour("muted"), fontSize: 12 },
        axisPointer: { label: { show: last } } });
      ys.push(ribbon
        ? { gridIndex: index, type: "category", data: ribbon.labels, inverse: true, tooltip: { show: true, formatter: (label) => escape(label.value) }, axisLine: { show: false }, axisTick: { show: false },
          splitLine: { show: true, lineStyle: { color: colour("grid") } }, axisLabel: { color: colour("ink"), fontSize: 11.5, interval: 0, width: left - 8, overflow: "truncate", ellipsis: "…", formatter: short } }
        : { gridIndex: index, type: panel.log && state.log ? "log" : "value",
          scale: !panel.series.some((each) => ["bars", "area"].includes(each.kind)), splitNumber: Math.max(2, Math.round(height / 45)),
          axisLabel: { color: colour("ink"), fontSize: 11.5, formatter: tick(panel.scale) }, minInterval: panel.scale === "count" ? 1 : undefined, splitLine: { lineStyle: { color: colour("grid") } } });
      panel.series.forEach((each) => series.push(...drawn(chart, each, index, axis)));
    });
    const zoom = chart.zoom ? [
      { type: "inside", xAxisIndex: xs.map((_, index) => index), filterMode: "none", zoomOnMouseWheel: true, moveOnMouseMove: true, preventDefaultMouseMove: false, ...state.zoom },
      { type: "slider", xAxisIndex: xs.map((_, index) => index), filterMode: "none", top: top + FOOT, height: 18, left, right: RIGHT, showDetail: false,
        borderColor: colour("grid"), fillerColor: "rgba(110,150,220,0.18)", handleStyle: { color: colour("accent") }, moveHandleSize: 0,
        dataBackground: { lineStyle: { color: colour("muted") }, areaStyle: { color: colour("grid") } }, textStyle: { color: colour("ink") }, ...state.zoom },
    ] : [];
    const height = top + FOOT + (chart.zoom ? 26 : 0) + (chart.axisTitle ? 16 : 0) + 14 * (lines - 1);
    const pointer = chart.kind !== "numbers";
    return [height, {
      animation: false, backgroundColor: "transparent", aria: { enabled: false },
      textStyle: { color: colour("ink"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 },
      graphic: data.stamp ? [{ type: "text", right: 4, top: 3, silent: true, z: 100,
        style: { text: data.stamp, fill: colour("loss-ink"), font: `700 10px ${getComputedStyle(document.body).fontFamily}` } }] : [],
      title: titles, legend, grid: grids, xAxis: xs, yAxis: ys, dataZoom: zoom, series,
      axisPointer: pointer ? { link: [{ xAxisIndex: "all" }], lineStyle: { color: colour("muted") }, label: { backgroundColor: colour("muted") } } : undefined,
      tooltip: { trigger: pointer ? "axis" : "item", confine: true, backgroundColor: colour("paper"), borderColor: colour("muted"),
        textStyle: { color: colour("ink"), fontSize: 12.5 }, axisPointer: { type: "line" },
        formatter: (points) => {
          if (!pointer) return `${escape(chart.axisTitle)} ${shown(points.value[0], chart.axisScale)}<br>${escape(points.seriesName)} ${shown(points.value[1], chart.panels[0].scale)}`;
          const first = Array.isArray(points) ? points[0] : points;
          const row = first.axisType ? axis.indexOf(first.axisValue) : first.dataIndex;
          return row < 0 ? "" : asHtml(axis[row], told(chart, row), narrow ? 26 : 34);
        } },
    }];
  }

  function drawn(chart, each, index, axis) {
    const ink = colour(each.colour), fall = colour("fall");
    const common = { name: each.name, xAxisIndex: index, yAxisIndex: index, itemStyle: { color: ink }, emphasis: { disabled: true } };
    const place = (row) => (chart.kind === "numbers" ? axis[row] : row);
    const rows = (each.values || []).map((value, at) => [place(each.at ? each.at[at] : at), value]);
    if (each.kind === "band") {
      return [{ ...common, type: "custom", silent: true, data: rows.map(([row, value], at) => [row, each.low[at], value]), encode: { x: 0, y: [1, 2] }, z: 1,
        renderItem: (params, api) => {
          if (params.context.done) return null;
          params.context.done = true;
          const upper = rows.map(([row, value]) => api.coord([row, value]));
          const lower = rows.map(([row], at) => api.coord([row, each.low[at]])).reverse();
          return { type: "polygon", shape: { points: [...upper, ...lower] }, style: { fill: ink, opacity: 0.2 },
            clipPath: { type: "rect", shape: { x: params.coordSys.x, y: params.coordSys.y, width: params.coordSys.width, height: params.coordSys.height } } };
        } }];
    }
    if (each.kind === "ranges") {
      return [{ ...common, type: "custom", silent: true, data: rows.map(([row, value], at) => [row, each.low[at], value]), encode: { x: 0, y: [1, 2] }, z: 4,
        renderItem: (params, api) => {
          const [x, low] = api.coord([api.value(0), api.value(1)]), [, high] = api.coord([api.value(0), api.value(2)]);
          if (!Number.isFinite(low) || !Number.isFinite(high)) return null;
          return { type: "path", shape: { pathData: `M${x - 4} ${high}h8m-4 0V${low}m-4 0h8` }, style: { stroke: ink, fill: "none", lineWidth: 1 } };
        } }];
    }
    if (each.kind === "ribbon") {
      const full = Math.max(...each.runs.flatMap(([, , values]) => values));
      const blocks = [];
      each.runs.forEach(([label, first, values]) => {
        let begin = 0;
        const level = (at) => Math.ceil((values[at] / full) * 10 - 1e-9);
        for (let at = 1; at <= values.length; at += 1) {
          if (at === values.length || level(at) !== level(begin)) {
            blocks.push([first + begin, first + at - 1, label, level(begin)]);
            begin = at;
          }
        }
      });
      return [{ ...common, type: "custom", data: blocks, encode: { x: [0, 1], y: 2 }, clip: true,
        renderItem: (params, api) => {
          const [from, y] = api.coord([api.value(0), api.value(2)]);
          const [to] = api.coord([api.value(1), api.value(2)]);
          const step = api.size([1, 0])[0];
          const area = params.coordSys;
          const x = Math.max(from - step / 2, area.x), end = Math.min(to + step / 2, area.x + area.width);
          return end <= x ? null : { type: "rect", shape: { x, y: y - ROW / 2 + 1.5, width: end - x, height: ROW - 3 },
            style: { fill: ink, opacity: 0.15 + 0.085 * api.value(3) } };
        } }];
    }
    if (each.kind === "shade" || each.kind === "flags") {
      const lines = each.kind === "flags" ? { symbol: "none", silent: true, lineStyle: { color: ink, type: "dashed" },
        data: each.at.map((row, at) => ({ xAxis: row, label: { formatter: each.labels[at], color: colour("ink"), position: "insideEndTop", rotate: 0, distance: [0, -4] } })) } : undefined;
      const areas = each.kind === "shade" ? { silent: true, itemStyle: { color: ink, opacity: 0.3 },
        data: each.at.map((row, at) => [{ xAxis: Math.max(row - 0, 0) }, { xAxis: each.low[at] }]) } : undefined;
      return [{ ...common, type: "line", data: [], symbol: "none", lineStyle: { color: ink }, markLine: lines, markArea: areas }];
    }
    if (each.kind === "bars") {
      return [{ ...common, type: "bar", stack: each.stack ? `stack${index}` : undefined, barWidth: chart.zoom ? undefined : "80%", barMinWidth: 1,
        barMaxWidth: 24, barGap: "-100%", large: false, data: rows.map((row) => ({ value: row, itemStyle: row[1] < 0 ? { color: fall } : undefined })) }];
    }
    if (["points", "up", "down"].includes(each.kind)) {
      return [{ ...common, type: "scatter", data: rows, symbol: SYMBOLS[each.kind],
        symbolSize: each.kind !== "points" ? 9 : chart.kind === "numbers" ? 5 : 12, symbolOffset: each.kind === "up" ? [0, 6] : each.kind === "down" ? [0, -6] : undefined,
        itemStyle: { color: ink, opacity: each.kind === "points" ? 0.55 : 1 }, z: 5 }];
    }
    return [{ ...common, type: "line", data: rows, symbol: "none", step: each.kind === "steps" ? "end" : undefined, stack: each.stack ? `stack${index}` : undefined,
      lineStyle: { color: ink, width: each.stack ? 0 : 1.6 }, areaStyle: each.kind === "area" ? { color: ink, opacity: each.stack ? 0.8 : 0.22 } : undefined }];
  }

  function enliven(figure) {
    const chart = charts.get(figure.dataset.chart);
    if (!chart || figure.classList.contains("live")) return;
    const axis = data.axes[chart.axis];
    const place = make("div", { className: "chart", tabIndex: 0 });
    place.setAttribute("role", "group");
    const keys = { time: " Arrow keys read it session by session.", numbers: "" };
    place.setAttribute("aria-label", `${figure.dataset.title}, a chart.${keys[chart.kind] ?? " Arrow keys read it one by one."}`);
    const words = make("p", { className: "words" });
    words.setAttribute("aria-live", "polite");
    const controls = make("div", { className: "controls" });
    const still = figure.querySelector(".still");
    still.before(controls, place, words);
    figure.classList.add("live");
    const image = echarts.init(place, null, { renderer: "svg", height: 100 });
    const state = { log: false, zoom: {}, selected: {}, row: axis.length - 1 };
    const draw = () => {
      const width = place.clientWidth;
      if (!width) return;
      const [height, wanted] = option(chart, width, state);
      place.style.height = `${height}px`;
      image.resize({ width, height });
      image.setOption(wanted, { notMerge: true });
    };
    image.on("datazoom", () => {
      const [now] = image.getOption().dataZoom;
      state.zoom = { startValue: now.startValue, endValue: now.endValue };
    });
    image.on("legendselectchanged", (event) => { state.selected = event.selected; });
    const move = (first, last) => {
      // At once, because a table of the same page may move the chart too.
      image.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, startValue: Math.max(0, first), endValue: Math.min(axis.length - 1, last) });
    };
    if (chart.zoom) {
      const buttons = make("span", { className: "ranges" });
      buttons.setAttribute("role", "group");
      buttons.setAttribute("aria-label", "Period shown");
      for (const [name, sessions] of RANGES) {
        if (sessions >= axis.length) continue;
        const button = make("button", { type: "button", textContent: name });
        button.addEventListener("click", () => move(sessions ? axis.length - sessions : 0, axis.length - 1));
        buttons.append(button);
      }
      controls.append(buttons);
      image.group = `axis${chart.axis}`;
      echarts.connect(image.group);
    }
    if (chart.panels.some((panel) => panel.log)) {
      const box = make("input", { type: "checkbox" });
      box.addEventListener("change", () => { state.log = box.checked; draw(); });
      controls.append(make("label", {}, box, " log scale"));
    }
    // Where a chart can be zoomed ECharts keeps every turn of the wheel to itself, also those that it makes nothing of.
    place.addEventListener("wheel", (event) => { if (!event.ctrlKey) event.stopPropagation(); }, { capture: true, passive: true });
    place.addEventListener("keydown", (event) => {
      const [now] = (image.getOption().dataZoom || []);
      const [first, last] = now ? [now.startValue, now.endValue] : [0, axis.length - 1];
      const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -axis.length, End: axis.length };
      if (event.key in steps && chart.kind !== "numbers") {
        state.row = Math.min(Math.max(state.row + steps[event.key], first), last);
        words.textContent = asText(axis[state.row], told(chart, state.row));
        image.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: state.row });
      } else if ((event.key === "+" || event.key === "-") && chart.zoom) {
        const half = Math.max(10, Math.round(((last - first) / 2) * (event.key === "+" ? 0.5 : 2)));
        const middle = Math.round((first + last) / 2);
        move(middle - half, middle + half);
      } else return;
      event.preventDefault();
    });
    live.push(draw);
    draw();
  }

  // Of figures to choose from only one is drawn.
  for (const group of document.querySelectorAll(".pick")) {
    const figures = [...group.querySelectorAll("figure")];
    if (!figures.length) continue;
    const select = make("select", { id: `${group.id}-choice` });
    figures.forEach((figure, index) => select.append(make("option", { value: String(index), textContent: figure.dataset.title })));
    const choose = () => figures.forEach((figure, index) => {
      const chosen = index === +select.value;
      figure.classList.toggle("left-out", !chosen);
      if (chosen) { enliven(figure); live.forEach((draw) => draw()); }
    });
    select.addEventListener("change", choose);
    group.prepend(make("p", { className: "controls" }, make("label", {}, `${group.dataset.label} `, select)));
    choose();
  }
  document.querySelectorAll("figure[data-chart]:not(.left-out)").forEach(enliven);

  let waiting;
  const again = () => live.forEach((draw) => draw());
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(again, 120); });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
})();
