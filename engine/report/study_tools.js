// What the charts of a study's page share: the data, numbers as text, colours, an empty chart, controls.
// Charts are SVG: sharp in print, and their text stays text.
const studyTools = (() => {
  "use strict";
  const data = JSON.parse(document.getElementById("study-data").textContent);
  // Viridis: even in lightness, readable with any colour vision and in grey.
  const SCALE = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
  const redraws = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const make = (name, options = {}, ...children) => {
    const element = Object.assign(document.createElement(name), options);
    element.append(...children);
    return element;
  };

  // Numbers as the tables have them.
  const grouped = (value, digits) =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const shown = (objective, value, digits = 3) => {
    if (objective.unit.startsWith("percent")) return `${grouped(value * 100, Math.max(digits - 1, 0))}%`;
    if (objective.unit === "money" || objective.whole) return grouped(value, 0);
    return grouped(value, digits);
  };
  const tick = (objective) => (value) => {
    if (objective.unit.startsWith("percent")) return `${+(value * 100).toFixed(6)}%`;
    return Math.abs(value) >= 1e5 ? value.toExponential(1) : String(+value.toFixed(6));
  };
  const title = (objective) => {
    const unit = objective.unit === "percent a year" ? "a year" : objective.unit === "times a year" ? objective.unit : "";
    return objective.label + (unit ? `, ${unit}` : "");
  };
  const axisText = (axis, place) => {
    if (!axis.scale) return axis.names[place];
    return axis.whole ? String(place) : String(+Number(place).toPrecision(5));
  };
  const setText = (places) => data.axes.map((axis, index) => `${axis.name}=${axisText(axis, places[index])}`).join(", ");
  const rowText = (row, line) =>
    [`trial ${row[0]}${row[4] && data.objectives.length > 1 ? ", on the Pareto front" : ""}${row[3] ? "" : ", misses a constraint"}`,
      ...data.objectives.map((objective, index) => `${objective.label} ${shown(objective, row[2][index])}`),
      ...data.axes.map((axis, index) => `${axis.name} = ${axisText(axis, row[1][index])}`)].map(escape).join(line);

  const scaleOf = (objective) => (objective.maximize ? SCALE : [...SCALE].reverse());
  // The worst twentieth shares one colour, so that one disaster does not make all else look alike.
  const range = (values, maximize) => {
    const sorted = [...values].sort((one, two) => one - two);
    if (!sorted.length) return [0, 1];
    const cut = Math.floor(sorted.length * 0.05);
    const low = maximize ? sorted[cut] : sorted[0];
    const high = maximize ? sorted[sorted.length - 1] : sorted[sorted.length - 1 - cut];
    return low < high ? [low, high] : [sorted[0] - 1e-9, sorted[sorted.length - 1] + 1e-9];
  };

  const chart = (parent, height, options) => {
    const place = make("div", { className: "chart" });
    place.style.height = `${height}px`;
    parent.append(place);
    const drawn = echarts.init(place, null, { renderer: "svg", height });
    const draw = () => {
      const width = place.clientWidth;
      drawn.resize({ width });
      const text = { color: colour("ink"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
      const graphic = data.synthetic
        ? [{ type: "text", right: 4, top: 5, silent: true, z: 100, style: { text: "SYNTHETIC DATA", fill: colour("loss-ink"), font: `700 10px ${text.fontFamily}` } }]
        : [];
      drawn.setOption({ animation: false, backgroundColor: "transparent", textStyle: text, graphic, ...options(width) }, { notMerge: true });
    };
    draw();
    redraws.push(draw);
    return { drawn, draw, place };
  };
  const lines = () => ({
    axisLine: { lineStyle: { color: colour("muted") } },
    axisTick: { show: false },
    axisLabel: { color: colour("ink"), fontSize: 11.5, hideOverlap: true },
    splitLine: { lineStyle: { color: colour("grid") } },
    nameTextStyle: { color: colour("muted"), fontSize: 12 },
    nameLocation: "middle",
  });
  const tooltip = (formatter) => ({
    confine: true, backgroundColor: colour("paper"), borderColor: colour("grid"),
    textStyle: { color: colour("ink"), fontSize: 12.5 }, formatter,
  });

  const choice = (legend, name, options, chosen) => {
    const group = make("fieldset", {}, make("legend", { textContent: legend }));
    options.forEach(([value, words], index) => {
      const input = make("input", { type: "radio", name, value, checked: index === 0 });
      input.addEventListener("change", () => chosen(value));
      group.append(make("label", {}, input, ` ${words}`));
    });
    return group;
  };
  const key = () => {
    const low = make("span"), high = make("span"), bar = make("i");
    return {
      element: make("span", { className: "key" }, low, bar, high),
      show(objective, [from, to]) {
        const [worst, best] = objective.maximize ? [from, to] : [to, from];
        low.textContent = `${shown(objective, worst)} or worse`;
        high.textContent = `${shown(objective, best)} (${objective.label})`;
        bar.style.background = `linear-gradient(to right, ${SCALE.join(",")})`;
      },
    };
  };

  return { data, redraws, colour, escape, make, shown, tick, title, setText, rowText, scaleOf, range, chart, lines, tooltip, choice, key };
})();
