// Draws the figures of a page with plotly. A figure is plain JSON beside its place; a trace names its
// series in `meta`, and the stylesheet gives that series its colour, in light and in dark.
(() => {
  const SERIES = ["base", "tuned", "arm1", "arm2", "arm3", "arm4", "other", "good", "bad", "partly", "muted", "accent"];
  const probe = document.createElement("span");
  const kept = new Map();

  const colour = (name) => {
    probe.style.color = `var(--${name === "other" ? "arm1" : name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  const faded = (value, opacity) => {
    const parts = value.match(/[\d.]+/g) || [0, 0, 0];
    return `rgba(${parts[0]}, ${parts[1]}, ${parts[2]}, ${opacity})`;
  };

  const painted = (trace, place) => {
    const meta = trace.meta || {};
    const series = SERIES.includes(meta.series) ? meta.series : ["accent", "tuned", "arm2", "arm3"][place % 4];
    const paint = colour(series);
    const copy = { ...trace, line: { ...trace.line, color: paint }, marker: { ...trace.marker, color: paint } };
    if (meta.band) {
      copy.fillcolor = faded(paint, meta.band);
      copy.line.color = "rgba(0,0,0,0)";
    }
    for (const error of ["error_x", "error_y"]) {
      if (trace[error]) copy[error] = { ...trace[error], color: trace.type === "bar" ? colour("ink-soft") : paint };
    }
    if (trace.type === "bar") copy.textfont = { color: colour("paper"), ...trace.textfont };
    return copy;
  };

  const axis = (given, line) => ({
    gridcolor: line, linecolor: line, zerolinecolor: colour("line-strong"), automargin: true, ...given,
    title: { standoff: 12, ...given?.title },
  });

  const layout = (given, narrow) => {
    const line = colour("line");
    return {
      ...given,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: narrow ? 12 : 14, color: colour("ink") },
      hoverlabel: { bgcolor: colour("surface"), bordercolor: colour("line-strong"), font: { color: colour("ink") } },
      margin: { l: narrow ? 44 : 60, r: 12, t: 24, b: 48, ...given?.margin },
      legend: { orientation: "h", y: 1, yanchor: "bottom", ...given?.legend },
      xaxis: axis(given?.xaxis, line),
      yaxis: axis(given?.yaxis, line),
      autosize: true,
    };
  };

  const draw = (place) => {
    const source = document.getElementById(place.dataset.figure);
    if (!source || !window.Plotly) return;
    const figure = JSON.parse(source.textContent);
    place.style.height = figure.layout?.height ? `${figure.layout.height}px` : "";
    place.style.minHeight = figure.layout?.height ? "0" : "";
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    window.Plotly.react(
      place,
      figure.data.map(painted),
      layout({ ...figure.layout, ...(still ? { transition: { duration: 0 } } : {}) }, place.clientWidth < 520),
      { responsive: true, displaylogo: false, displayModeBar: false, scrollZoom: false, locale: "en" },
    );
  };

  const drawIn = (root) => root.querySelectorAll?.(".chart[data-figure]").forEach(draw);

  // A chart that is polled keeps its drawing: the old element is put back and given the new numbers.
  document.addEventListener("htmx:beforeSwap", (event) => {
    event.detail.target.querySelectorAll?.(".chart[data-figure]").forEach((place) => kept.set(place.id, place));
  });
  document.addEventListener("htmx:afterSettle", () => {
    document.querySelectorAll(".chart[data-figure]").forEach((place) => {
      const old = kept.get(place.id);
      if (old && old !== place && !old.isConnected) place.replaceWith(old);
      draw(old && old.isConnected ? old : place);
    });
    kept.clear();
  });
  document.addEventListener("qianti:theme", () => drawIn(document));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawIn(document));
  drawIn(document);
})();
