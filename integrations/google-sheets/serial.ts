/** Lets what has the same key run one after the other, in the order it came, within this process. */
export interface Serial {
  run<Result>(key: string, task: () => Promise<Result>): Promise<Result>;
}

export function createSerial(): Serial {
  const last = new Map<string, Promise<unknown>>();
  return {
    async run(key, task) {
      const before = last.get(key);
      const mine = (async () => {
        await before?.catch(() => undefined);
        return task();
      })();
      last.set(key, mine);
      try {
        return await mine;
      } finally {
        if (last.get(key) === mine) last.delete(key);
      }
    },
  };
}
