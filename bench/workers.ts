import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A helper in a process of its own, so that what it costs is not counted with what it helps to measure. */
export interface Worker {
  pid: number;
  /** Asks it something and waits for the answer; throws what it threw. */
  ask<Answer>(question: string, details?: unknown): Promise<Answer>;
  stop(): Promise<void>;
}

interface Message {
  number: number;
  question: string;
  details: unknown;
}

type Reply = { number: number; answer: unknown } | { number: number; error: string };

/** Starts `workers/<name>.ts`. It ends with this process. */
export function startWorker(name: string): Worker {
  const child = fork(new URL(`workers/${name}.ts`, import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>();
  let count = 0;
  child.on('message', (reply: Reply) => {
    const one = waiting.get(reply.number);
    waiting.delete(reply.number);
    if ('error' in reply) one?.reject(new Error(`${name}: ${reply.error}`));
    else one?.resolve(reply.answer);
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(`${name} has ended`));
  });
  return {
    pid: child.pid ?? 0,
    ask: <Answer>(question: string, details?: unknown) =>
      new Promise<Answer>((resolve, reject) => {
        const number = (count += 1);
        waiting.set(number, { resolve: resolve as (answer: unknown) => void, reject });
        child.send({ number, question, details } satisfies Message);
      }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** In a worker: answers what the bench asks. */
export function answerBench(answers: Record<string, (details: never) => unknown>): void {
  const reply = (message: Reply): void => void process.send?.(message);
  process.on('message', ({ number, question, details }: Message) => {
    const answering = Promise.try(() => answers[question]?.(details as never));
    answering.then(
      (answer) => reply({ number, answer }),
      (error: unknown) => reply({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
