/** What the demo shows beside its webhook. */
export interface Shown {
  sheets: boolean;
  sms: boolean;
}

export type GoogleSimulator = Awaited<ReturnType<typeof startGoogle>>;
export type TwilioSimulator = Awaited<ReturnType<typeof startTwilio>>;

/** Outside services as local servers. They belong to the tests, and are loaded only for those who ask for them. */
export interface Simulators extends AsyncDisposable {
  google?: GoogleSimulator;
  twilio?: TwilioSimulator;
  /** What a Formwire is told of them. */
  environment(publicUrl: string): Record<string, string>;
}

/** How quickly messages go from one status to the next. */
const stepMs = 100;

export async function startSimulators({ sheets, sms }: Shown): Promise<Simulators> {
  await using stack = new AsyncDisposableStack();
  const google = sheets ? stack.use(await startGoogle()) : undefined;
  const twilio = sms ? stack.use(await startTwilio()) : undefined;
  if (twilio) stack.use(twilio.run(stepMs));
  const running = stack.move();
  const urls = { ...(google && { google: google.url }), ...(twilio && { twilio: twilio.url }) };
  return {
    ...(google && { google }),
    ...(twilio && { twilio }),
    environment: (publicUrl) => ({ FORMWIRE_PUBLIC_URL: publicUrl, FORMWIRE_OUTSIDE_URLS: Object.entries(urls).map(([name, url]) => `${name}=${url}`).join(',') }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startGoogle() {
  const { startGoogle } = await import('../../../test/support/google/google.ts');
  return startGoogle();
}

async function startTwilio() {
  const { startTwilio } = await import('../../../test/support/twilio/twilio.ts');
  return startTwilio();
}
