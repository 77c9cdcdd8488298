import type { Pool } from 'pg';
import { providerNamed } from '../../../integrations/index.ts';
import type { Config } from '../../config.ts';
import { eventTypes } from '../../events/event.ts';
import { isId, newId, type Id } from '../../events/id.ts';
import { changeReplay, startReplay, type ActsBy } from '../../replays/change-replay.ts';
import type { ReplayPlan } from '../../replays/plan-replay.ts';
import { previewReplay } from '../../replays/preview-replay.ts';
import type { ReplayRequest } from '../../replays/read-request.ts';
import { defaultRate, mostRate } from '../../replays/replay-task.ts';
import { pageOfReplays, readReplays, type ReplayRow } from '../../replays/replay-rows.ts';
import { createSealer } from '../../sealing.ts';
import { UserError } from '../../user-error.ts';
import { WrongUse } from '../exit-codes.ts';
import { sealingKeys } from '../sealing-keys.ts';
import { findInstallation, withDatabase } from './installation.ts';
import { auditLog, operatorName } from './operator.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, printJson, printLines } from './print.ts';
import { readArgument } from './read-argument.ts';
import { planLines, replayLines } from './replay-lines.ts';
import { requireThere } from './require-there.ts';
import { watchReplay } from './watch-replay.ts';

const reach = { kind: 'installation' } as const;
const acts: ActsBy = { by: 'operator', userId: null };
const changes = { pause: 'paused', resume: 'resumed', cancel: 'canceled' } as const;
const verbs = ['preview', 'start', 'list', 'watch', 'pause', 'resume', 'cancel'] as const;

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
    watch: { type: 'boolean', description: 'After a start: show how it goes until it has ended. Ctrl-C ends the watching, and not the replay.' },
    'send-sms': { type: 'boolean', description: 'Messages to people too.' },
  },
  takesWords: true,
  run: async ({ args, words, config }) => {
    const [word, id, ...others] = words;
    const verb = verbs.find((one) => one === (word ?? 'list'));
    if (!verb) throw new WrongUse(`It takes ${verbs.join(', ')}, not "${word}".`);
    const [surplus] = verb in changes || verb === 'watch' ? others : words.slice(1);
    if (surplus !== undefined) throw new WrongUse(`There is no ${surplus} here.`);
    const show = (rows: readonly ReplayRow[]) => (args.json ? printJson(rows) : printLines(replayLines(rows, new Date())));
    return withDatabase(findInstallation(config), async (pool) => {
      const watch = async (replayId: Id<'rpl'>): Promise<'fine' | 'found'> => {
        const row = await watchReplay({ read: () => found(pool, replayId), showsProgress: !args.json, say: (sentence) => process.stderr.write(`${sentence}\n`) });
        show([row]);
        return row.status === 'done' && row.dead === 0 ? 'fine' : 'found';
      };
      switch (verb) {
        case 'preview': {
          const plan = await planOf(pool, config, args);
          if (args.json) printJson(plan);
          else printLines(planLines(plan));
          return 'fine';
        }
        case 'start': {
          const replay = await start(pool, { plan: await planOf(pool, config, args), sendSms: args['send-sms'] === true });
          if (args.watch) return watch(replay.id);
          show([replay]);
          return 'fine';
        }
        case 'watch':
          return watch((await found(pool, requireReplay(verb, id))).id);
        case 'list':
          show(await pageOfReplays(pool, { reach, formId: readArgument.id('form', 'form', args.form), range: { after: undefined, before: undefined, limit: mostListed, reversed: true } }));
          return 'fine';
        case 'pause':
        case 'resume':
        case 'cancel': {
          const { id: replayId } = await found(pool, requireReplay(verb, id));
          await changeReplay(pool, { replayId, change: changes[verb], acts });
          audit(replayId, changes[verb]);
          show([await found(pool, replayId)]);
          return 'fine';
        }
      }
    });
  },
});

const mostListed = 50;

const planDeps = (pool: Pool, config: Config) => ({ pool, reads: pool, providerNamed, sealer: createSealer(sealingKeys(config)), log: auditLog() });
const audit = (replayId: Id<'rpl'>, action: string): void => auditLog().info({ replayId, action, operator: operatorName() }, 'operator.replay');

/** What is wrong with the request is said with the option that it is about. */
async function planOf(pool: Pool, config: Config, args: RequestArguments): Promise<ReplayPlan> {
  const request = readRequestArguments(args);
  await requireThere(pool, { formId: request.formId });
  try {
    return await previewReplay(planDeps(pool, config), { reach, request, now: new Date() });
  } catch (error) {
    const [fault] = error instanceof UserError ? error.faults : [];
    const option = fault && optionsOf[String(fault.path[0])];
    throw option ? new Error(`${option}: ${fault.message}`, { cause: error }) : error;
  }
}

const optionsOf: Partial<Record<string, string>> = { formId: '--form', integrationIds: '--integration', since: '--since', until: '--until', after: '--after', through: '--through' };

async function found(pool: Pool, id: Id<'rpl'>): Promise<ReplayRow> {
  const row = (await readReplays(pool, { reach, ids: [id] })).get(id);
  if (row) return row;
  throw new Error(`There is no ${id}.`);
}

function requireReplay(verb: string, id: string | undefined): Id<'rpl'> {
  if (id !== undefined && isId('rpl', id)) return id;
  throw new WrongUse(`Name the replay: formwire replay ${verb} rpl_01m8gcvk47ep5tw002vq24wvqx`);
}

async function start(pool: Pool, { plan, sendSms }: { plan: ReplayPlan; sendSms: boolean }): Promise<ReplayRow> {
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

function readRequestArguments({ form, integration, type, since, until, after, through, everything, rate }: RequestArguments): ReplayRequest & { formId: Id<'form'> } {
  const formId = readArgument.id('form', 'form', form);
  if (!formId) throw new WrongUse('Say whose events, with --form.');
  if (since === undefined && after === undefined) throw new WrongUse('Say where it begins: --since a time, or --after a cursor.');
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
