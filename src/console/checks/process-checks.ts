import { roles, type Role } from '../../config.ts';
import type { ProcessRow } from '../../processes/process-rows.ts';
import { spanText } from '../words.ts';
import { clockSkew } from './database-checks.ts';
import { doubtful, sound, wrong, type Finding } from './finding.ts';

/** What is not done while nobody has a role; of dispatchers it is told by what they hold. */
const without: Partial<Record<Role, string>> = {
  api: 'nothing is accepted',
  relay: 'what does not get through to NATS at once is not published again, and nobody looks for what is missing',
};

/** Whether somebody does each part of the work, all of them the same way. */
export function checkProcesses(processes: readonly ProcessRow[]): Finding[] {
  const alive = processes.filter(({ isAlive }) => isAlive);
  const vacant = roles.filter((role) => role in without && !alive.some((one) => one.roles.includes(role)));
  return [
    ...(vacant.length === 0 ? [sound('processes', `${alive.length} alive`)] : []),
    ...vacant.map((role) => wrong('processes', `none has the role ${role}`, `Start one with FORMWIRE_ROLES=${role}: ${without[role]}.`)),
    ...processes.filter(({ isAlive }) => !isAlive).map(goneFinding),
    ...alive.flatMap((one) => one.reasons.map((reason) => doubtful('processes', `${nameOf(one)}: ${reason}`, 'See what /readyz of it says, and its log.'))),
    ...versionFindings(alive),
    ...alive.filter(({ clockAheadMs }) => Math.abs(clockAheadMs) >= clockSkew.doubtfulMs).map(clockFinding),
  ];
}

const nameOf = ({ host, pid }: ProcessRow): string => `${host}:${pid}`;

const goneFinding = (one: ProcessRow): Finding =>
  doubtful('processes', `${nameOf(one)} is gone: it was seen ${spanText(one.seenMsAgo)} ago, and did not say goodbye`, 'See why it ended, and start it again if it should run. An hour after, it is forgotten.');

function versionFindings(alive: readonly ProcessRow[]): Finding[] {
  const versions = [...new Set(alive.map(({ version }) => version))].toSorted();
  if (versions.length < 2) return [];
  return [doubtful('versions', `${versions.join(' and ')} run side by side`, 'Finish the upgrade: restart those that run the older one.')];
}

function clockFinding(one: ProcessRow): Finding {
  const seen = `that of ${nameOf(one)} is ${spanText(Math.abs(one.clockAheadMs))} ${one.clockAheadMs < 0 ? 'behind' : 'ahead of'} the database's`;
  return (Math.abs(one.clockAheadMs) >= clockSkew.wrongMs ? wrong : doubtful)('clocks', seen, 'Synchronise both with NTP: receivers refuse signatures that are minutes off, and tokens expire early or late.');
}
