/** A worker: browsers slow down the timers of pages in the background, but not a worker's. */
let timer: ReturnType<typeof setInterval> | undefined;

onmessage = (event: MessageEvent<number>) => {
  clearInterval(timer);
  if (event.data > 0) timer = setInterval(() => postMessage("beat"), event.data);
};
