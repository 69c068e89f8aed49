// Asking again and again, but only while somebody is looking.

/** Runs `task` now, then `interval` ms after each end of it; not while the tab is hidden. Returns "run now". */
export function poll(task, interval) {
  let timer = 0;
  let running = false;
  let again = false;

  async function run() {
    clearTimeout(timer);
    again = running;
    if (document.hidden || running) return;
    running = true;
    try {
      await task();
    } finally {
      running = false;
      timer = setTimeout(run, again ? 0 : interval);
    }
  }

  document.addEventListener("visibilitychange", run);
  run();
  return run;
}
