// Draws the charts of the quality page from the JSON in the page. Their numbers stand in tables below them.
(() => {
  "use strict";
  const source = document.getElementById("quality-charts");
  if (!source || !window.Chart) return; // the tables stay open
  const specs = JSON.parse(source.textContent);
  const canvases = [...document.querySelectorAll("canvas[data-chart]")];
  const language = document.documentElement.lang;
  const POINTS = ["circle", "rect", "triangle", "rectRot", "crossRot", "star"];
  const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [12, 3], [4, 4]];
  const NUMBERS = {
    number: new Intl.NumberFormat(language, { notation: "compact" }),
    money: new Intl.NumberFormat(language, { maximumSignificantDigits: 3 }),
  };
  let drawn = [];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function format(unit, value) {
    if (unit === "percent") return `${Math.round(value)} %`;
    if (unit === "ms") return value < 1000 ? `${Math.round(value)} ms` : `${NUMBERS.money.format(value / 1000)} s`;
    return NUMBERS[unit].format(value);
  }

  function dataset(spec, set, index) {
    const paint = colour(`--chart-${set.colour}`);
    const base = { clip: false, label: set.label, data: set.values, borderColor: paint, backgroundColor: paint };
    if (spec.kind === "lines") {
      return { ...base, borderDash: DASHES[index % 6], pointStyle: POINTS[index % 6], borderWidth: 2, pointRadius: 3, spanGaps: true };
    }
    return spec.kind === "calibration" ? calibrationSet(set, base) : { ...base, maxBarThickness: 36 };
  }

  // The area of a point tells how many replies it stands for; the ideal is a line without points.
  function calibrationSet(set, base) {
    const most = Math.max(...set.values.map((point) => point.count || 0));
    if (!most) return { ...base, showLine: true, borderDash: [6, 3], borderWidth: 1.5, pointRadius: 0, pointStyle: "line" };
    return { ...base, showLine: false, pointStyle: "circle", pointRadius: set.values.map((point) => 4 + 8 * Math.sqrt(point.count / most)) };
  }

  function axis(spec, isValue, more) {
    const text = colour("--pok-muted");
    const ticks = { color: text, maxRotation: 45, autoSkipPadding: 12 };
    if (more.max) ticks.stepSize = more.max / 4;
    if (more.autoSkip === false) ticks.autoSkip = false;
    if (isValue) ticks.callback = (value) => format(spec.unit, value);
    const line = colour("--pok-line");
    return { ticks, grid: { color: line, display: isValue }, border: { color: line }, ...more };
  }

  function scales(spec) {
    const percent = { min: 0, max: 100 };
    const title = (text) => ({ display: true, text, color: colour("--pok-muted") });
    if (spec.kind === "calibration") {
      return {
        x: axis(spec, true, { type: "linear", ...percent, title: title(spec.x_title) }),
        y: axis(spec, true, { ...percent, title: title(spec.y_title) }),
      };
    }
    if (spec.kind === "shares") return { x: axis(spec, true, { ...percent, stacked: true }), y: axis(spec, false, { stacked: true, autoSkip: false }) };
    const range = spec.unit === "percent" ? percent : { beginAtZero: true };
    const stacked = spec.kind === "stack";
    return { x: axis(spec, false, { stacked }), y: axis(spec, true, { ...range, stacked }) };
  }

  function tooltipLabel(spec, item) {
    if (spec.kind === "calibration") {
      const { x, y, count } = item.raw;
      return `${format("percent", x)} → ${format("percent", y)}${count ? ` (${count})` : ""}`;
    }
    const value = spec.kind === "shares" ? item.parsed.x : item.parsed.y;
    return `${item.dataset.label}: ${format(spec.unit, value)}`;
  }

  function draw(canvas) {
    const spec = specs[canvas.dataset.chart];
    const isLine = spec.kind === "lines" || spec.kind === "calibration";
    return new Chart(canvas, {
      type: isLine ? (spec.kind === "lines" ? "line" : "scatter") : "bar",
      data: { labels: spec.labels, datasets: spec.sets.map((set, index) => dataset(spec, set, index)) },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        layout: { padding: { top: 8 } },
        indexAxis: spec.kind === "shares" ? "y" : "x",
        interaction: isLine && spec.kind === "lines" ? { mode: "index", intersect: false } : { mode: "nearest", intersect: true },
        scales: scales(spec),
        plugins: {
          legend: { display: spec.sets.length > 1, position: "bottom", labels: { color: colour("--pok-text"), usePointStyle: isLine, boxWidth: 12, boxHeight: 8 } },
          tooltip: { callbacks: { label: (item) => tooltipLabel(spec, item) } },
        },
      },
    });
  }

  function drawAll() {
    drawn.forEach((chart) => chart.destroy());
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    drawn = canvases.map(draw);
    document.documentElement.dataset.charts = String(drawn.length);
  }

  drawAll();
  document.querySelectorAll("details.numbers").forEach((details) => details.removeAttribute("open"));
  new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
