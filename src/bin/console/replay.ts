import type { Pool } from 'pg';
import { providerNamed } from '../../../integrations/index.ts';
import type { Config } from '../../config.ts';
import { spanText, countOf, countText } from '../../console/words.ts';
import { tableLines } from '../../console/table.ts';
import { eventTypes } from '../../events/event.ts';
import { newId, type Id } from '../../events/id.ts';
import { changeReplay, startReplay, type ActsBy } from '../../replays/change-replay.ts';
import type { ReplayPlan } from '../../replays/plan-replay.ts';
import { previewReplay } from '../../replays/preview-replay.ts';
import type { ReplayRequest } from '../../replays/read-request.ts';
import { defaultRate, mostRate } from '../../replays/replay-task.ts';
import { pageOfReplays, readReplays, type ReplayRow } from '../../replays/replay-rows.ts';
import { createSealer } from '../../sealing.ts';
import { WrongUse } from '../exit-codes.ts';
import { sealingKeys } from '../sealing-keys.ts';
import { findInstallation, withDatabase } from './installation.ts';
import { auditLog, operatorName } from './operator.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, printJson, printLines } from './print.ts';
import { readArgument } from './read-argument.ts';

const reach = { kind: 'installation' } as const;
const acts: ActsBy = { by: 'operator', userId: null };
const changes = { pause: 'paused', resume: 'resumed', cancel: 'canceled' } as const;
const verbs = ['preview', 'start', 'list', 'pause', 'resume', 'cancel'] as const;

export const replayCommand = operatorCommand({
  args: {
    ...jsonArgument,
    form: { type: 'string', valueHint: 'form_…', description: 'Whose events; needed for preview and start.' },
    integration: { type: 'string', valueHint: 'intg_…', description: 'To this one, or to several, separated by commas. Default: all.' },
    type: { type: 'string', valueHint: 'types', description: `Only these, separated by commas: ${eventTypes.join(', ')}.` },
    since: { type: 'string', valueHint: 'time', description: 'Accepted then or later: a time, or how long ago (24h, 7d).' },
    until: { type: 'string', valueHint: 'time', description: 'Accepted before then.' },
    after: { type: 'string', valueHint: 'cursor', description: 'What comes after this cursor of responses or of a subscription.' },
    through: { type: 'string', valueHint: 'cursor', description: 'What comes up to this cursor, and what it stands at.' },
    everything: { type: 'boolean', description: 'Also what was delivered; without it, what was missed.' },
    rate: { type: 'string', default: String(defaultRate), valueHint: 'number', description: 'Deliveries a second to each integration, at most.' },
    'send-sms': { type: 'boolean', description: 'Messages to people too.' },
  },
  takesWords: true,
  run: async ({ args, words, config }) => {
    const [word, id, ...others] = words;
    const verb = readArgument.oneOf('replay', word ?? 'list', verbs) ?? 'list';
    if (others.length > 0) throw new WrongUse(`There is no ${others[0]} here.`);
    const show = (rows: readonly ReplayRow[]) => (args.json ? printJson(rows) : printLines(replayLines(rows)));
    return withDatabase(findInstallation(config), async (pool) => {
      switch (verb) {
        case 'preview':
        case 'start': {
          const request = readRequestArguments(args);
          const plan = await previewReplay(planDeps(pool, config), { reach, request, now: new Date() });
          if (verb === 'start') show(await start(pool, { plan, sendSms: args['send-sms'] === true }));
          else if (args.json) printJson(plan);
          else printLines(planLines(plan));
          return 'fine';
        }
        case 'list':
          show(await pageOfReplays(pool, { reach, formId: readArgument.id('form', 'form', args.form), range: { after: undefined, before: undefined, limit: mostListed, reversed: true } }));
          return 'fine';
        case 'pause':
        case 'resume':
        case 'cancel': {
          const replayId = readArgument.id('replay', 'rpl', id ?? '');
          if (!replayId) return 'failed';
          await changeReplay(pool, { replayId, change: changes[verb], acts });
          audit(replayId, changes[verb]);
          show(await found(pool, replayId));
          return 'fine';
        }
      }
    });
  },
});

const mostListed = 50;

const planDeps = (pool: Pool, config: Config) => ({ pool, reads: pool, providerNamed, sealer: createSealer(sealingKeys(config)), log: auditLog() });
const audit = (replayId: Id<'rpl'>, action: string): void => auditLog().info({ replayId, action, operator: operatorName() }, 'operator.replay');
const found = async (pool: Pool, id: Id<'rpl'>): Promise<ReplayRow[]> => [...(await readReplays(pool, { reach, ids: [id] })).values()];

async function start(pool: Pool, { plan, sendSms }: { plan: ReplayPlan; sendSms: boolean }): Promise<ReplayRow[]> {
  const replayId = newId('rpl');
  await startReplay(pool, { previewed: { ...plan, replayId, expiresAt: 0 }, sendSms, acts });
  audit(replayId, 'started');
  return found(pool, replayId);
}

interface RequestArguments {
  form?: string | undefined;
  integration?: string | undefined;
  type?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  after?: string | undefined;
  through?: string | undefined;
  everything?: boolean | undefined;
  rate: string;
}

function readRequestArguments({ form, integration, type, since, until, after, through, everything, rate }: RequestArguments): ReplayRequest {
  const formId = readArgument.id('form', 'form', form);
  if (!formId) throw new WrongUse('Say whose events, with --form.');
  return {
    formId, after, through,
    integrationIds: integration?.split(',').map((id) => readArgument.id('integration', 'intg', id) ?? id),
    eventTypes: type?.split(',').flatMap((name) => readArgument.oneOf('type', name, eventTypes) ?? []),
    since: readArgument.time('since', since),
    until: readArgument.time('until', until),
    mode: everything ? 'everything' : 'missed',
    rate: readArgument.count('rate', rate, { most: mostRate }),
  };
}

function planLines({ events, endpoints }: ReplayPlan): string[] {
  return [
    `Of ${countOf(events, 'event')}, to be sent again:`,
    ...tableLines(endpoints, [
      { title: 'integration', text: ({ integrationId }) => integrationId },
      { title: 'deliveries', align: 'right', text: ({ count }) => countText(count) },
      { title: 'first', text: ({ first }) => first?.toISOString() ?? '–' },
      { title: 'last', text: ({ last }) => last?.toISOString() ?? '–' },
      { title: 'takes at least', align: 'right', text: ({ estimatedMs }) => spanText(estimatedMs) },
      { title: '', text: ({ reachesPeople }) => (reachesPeople ? 'only with --send-sms' : '') },
    ]),
  ];
}

function replayLines(rows: readonly ReplayRow[]): string[] {
  if (rows.length === 0) return ['There is no replay.'];
  return tableLines(rows, [
    { title: 'replay', text: ({ id }) => id },
    { title: 'form', text: ({ formId }) => formId },
    { title: 'status', text: ({ status }) => status },
    { title: 'mode', text: ({ task }) => task.mode },
    { title: 'total', align: 'right', text: ({ total }) => countText(total) },
    { title: 'delivered', align: 'right', text: ({ made, pending, dead, canceled }) => countText(Math.max(0, made - pending - dead - canceled)) },
    { title: 'pending', align: 'right', text: ({ pending }) => countText(pending) },
    { title: 'dead', align: 'right', text: ({ dead }) => countText(dead) },
    { title: 'why', text: ({ reason }) => reason ?? '' },
  ]);
}
