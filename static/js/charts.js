// Draws <div data-chart="id of a JSON script"> with Plotly; the JSON is {"data": [...], "layout": {...}}.
// Colours arrive as "var(--name)" and are resolved here, so one payload serves both themes.
"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];

  const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false, showTips: false, showAxisDragHandles: false };
  const AXIS = { fixedrange: true, zeroline: false, ticks: "", tickfont: { color: "var(--ink-3)", size: 11 }, automargin: false };
  const LAYOUT = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, dragmode: false,
    hovermode: "x unified", hoversubplots: "axis", bargap: 0.22, margin: { l: 46, r: 12, t: 10, b: 26 },
    font: { family: "var(--font)", size: 12, color: "var(--ink-2)" },
    hoverlabel: { bgcolor: "var(--surface)", bordercolor: "var(--line-strong)", font: { color: "var(--ink)", size: 12 } },
  };
  const XAXIS = { ...AXIS, tickangle: 0, showgrid: false, showline: true, linecolor: "var(--line-strong)", spikemode: "across", spikethickness: 1, spikedash: "solid", spikecolor: "var(--line-strong)" };
  const YAXIS = { ...AXIS, gridcolor: "var(--line)", rangemode: "tozero", nticks: 5 };

  function merge(base, extra) {
    if (!extra || typeof extra !== "object" || Array.isArray(extra)) return extra === undefined ? base : extra;
    const result = { ...base };
    for (const key of Object.keys(extra)) result[key] = merge(base?.[key], extra[key]);
    return result;
  }

  // A custom property that holds light-dark() reads as that text; only a colour set from it is a colour.
  function tokenReader(element) {
    const probe = document.createElement("span");
    probe.hidden = true;
    element.append(probe);
    const known = new Map();
    const read = (value) => {
      if (known.has(value)) return known.get(value);
      const isFont = value === "var(--font)";
      probe.style.color = isFont ? "" : value; // CSSOM writes are allowed by style-src 'self'
      const result = isFont ? getComputedStyle(root).getPropertyValue("--font").trim() : getComputedStyle(probe).color;
      known.set(value, result);
      return result;
    };
    const resolve = (node) => {
      if (typeof node === "string") return node.startsWith("var(--") ? read(node) : node;
      if (Array.isArray(node)) return node.map(resolve);
      if (node && typeof node === "object") return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolve(value)]));
      return node;
    };
    return { resolve, done: () => probe.remove() };
  }

  function drawChart(element) {
    const source = document.getElementById(element.dataset.chart);
    if (!source) return;
    const figure = JSON.parse(source.textContent);
    const layout = merge(LAYOUT, figure.layout);
    for (const key of new Set(["xaxis", "yaxis", ...Object.keys(layout)])) {
      if (/^xaxis\d*$/.test(key)) layout[key] = merge(XAXIS, layout[key]);
      if (/^yaxis\d*$/.test(key)) layout[key] = merge(YAXIS, layout[key]);
    }
    const tokens = tokenReader(element.parentElement);
    const drawn = Plotly.react(element, tokens.resolve(figure.data), tokens.resolve(layout), CONFIG);
    tokens.done();
    if (element.dataset.drawn) return;
    element.dataset.drawn = "true";
    element.toggleAttribute("data-leads", figure.data.some((trace) => trace.customdata?.some(Boolean)));
    drawn.then(() => element.on("plotly_click", followPoint));
  }

  // A point's customdata is the address of the calls behind it. A click comes with the points of all traces at its
  // time, whatever lies under the pointer, and with the bar last: the one drawn nearest above or below the pointer is
  // meant. A bar reaches down to its foot, so it is hit anywhere within, and goes before a line that is as near, also
  // for clicks in the lane below. A ring is small and close to its bar, so it has to be hit itself.
  const NEAR = 9;
  function followPoint({ points, event }) {
    const { left, top } = event.target.closest("[data-chart]").getBoundingClientRect();
    const right = event.clientX - left, down = event.clientY - top;
    const away = ({ data, xaxis, yaxis, x, y }) => {
      const above = yaxis._offset + yaxis.d2p(y) - down;
      if (data.mode === "markers+text") return Math.hypot(xaxis._offset + xaxis.d2p(x) - right, above) < NEAR ? -1 : Infinity;
      return data.type === "bar" ? Math.max(above, down - yaxis._offset - yaxis.d2p(0), 0) : Math.abs(above);
    };
    const isBar = ({ data }) => data.type === "bar";
    const leading = points.filter(({ data }) => data.customdata);
    const [hit] = leading.sort((a, b) => away(a) - away(b) || isBar(b) - isBar(a));
    if (typeof hit?.customdata === "string") location.assign(hit.customdata);
  }
  const drawCharts = (selector = "[data-chart]") => all(selector).forEach(drawChart);

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawCharts());
  document.addEventListener("callboard:theme", () => drawCharts());
  document.addEventListener("htmx:afterSettle", () => drawCharts("[data-chart]:not([data-drawn])"));
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    if (event.target.dataset?.drawn) Plotly.purge(event.target);
  });

  // Paper is narrower than the screen, and a Plotly SVG does not shrink by itself.
  const relayout = (change) => all("[data-drawn]").forEach((element) => Plotly.relayout(element, change));
  addEventListener("beforeprint", () => relayout({ width: 660 }));
  addEventListener("afterprint", () => relayout({ width: null, autosize: true }));

  drawCharts();
})();
