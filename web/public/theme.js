// Before the first paint, so that nothing flashes: the theme that was chosen here, otherwise the system's.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('gantry-theme');
  } catch {
    // Storage may be forbidden; the system's theme is as good.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
