// Runs before the first paint, so that a remembered choice never flashes.
(() => {
  try {
    const theme = localStorage.getItem("ticketpulse.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's preference holds then.
  }
})();
