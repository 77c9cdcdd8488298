/** Lets so many pieces of work run at a time; the others wait in their order. */
export interface Gate {
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(most: number): Gate {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async run(work) {
      if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
      else running += 1;
      try {
        return await work();
      } finally {
        const next = waiting.shift(); // takes this one's place
        if (next) next();
        else running -= 1;
      }
    },
  };
}
