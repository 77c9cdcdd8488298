import { execFile } from 'node:child_process';
import { accessSync, chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const toolsDir = path.resolve(import.meta.dirname, '../../.tools');
const workPrefix = 'fetching-';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const stepLimitMs = 120_000;

/** A program in a package of the distribution. */
export interface DebianProgram {
  /** `prometheus` */
  packageName: string;
  /** The release it is taken from; what is built for an older one runs on newer ones. */
  suite: 'bookworm' | 'trixie';
  /** Where it is in the package: `usr/bin/promtool`. */
  inPackage: string;
}

/** Where a fetched program is kept: in the project, which outlives data directories. */
export const fetchedPath = ({ inPackage }: DebianProgram): string => path.join(toolsDir, path.basename(inPackage));

/**
 * Fetches a program from the distribution's signed package into the project; nothing is installed system-wide and no
 * root is needed. Safe to call from several processes: each works in a folder of its own and puts the result in place
 * at once. Returns the program's path; throws an Error with the reason, in a line, when it is impossible.
 */
export async function fetchDebianProgram(program: DebianProgram): Promise<string> {
  try {
    return await fetchPackage(program);
  } catch (cause) {
    throw new Error(cause instanceof Error ? lastLine(cause) : String(cause), { cause });
  }
}

async function fetchPackage(program: DebianProgram): Promise<string> {
  if (!existsSync(keyring)) throw new Error('this is not Debian');
  mkdirSync(toolsDir, { recursive: true });
  removeAbandoned();
  const work = mkdtempSync(path.join(toolsDir, workPrefix));
  try {
    const options = aptOptions(work, { suite: program.suite, mirror: await configuredMirror() });
    await run('apt-get', [...options, 'update'], { cwd: work, timeout: stepLimitMs });
    await run('apt-get', [...options, 'download', program.packageName], { cwd: work, timeout: stepLimitMs });
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('the package did not arrive');
    await run('dpkg-deb', ['--extract', archive, 'extracted'], { cwd: work, timeout: stepLimitMs });
    return putInPlace(path.join(work, 'extracted', program.inPackage), { work, target: fetchedPath(program) });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The mirror that this system uses for its own packages; the one for security updates has no others. */
async function configuredMirror(): Promise<string> {
  const format = ['--format', '$(REPO_URI)', 'Created-By: Packages', 'Component: main'];
  const { stdout } = await run('apt-get', ['indextargets', ...format], { timeout: stepLimitMs });
  const mirror = stdout.split('\n').find((line) => line !== '' && !line.includes('security'));
  if (mirror === undefined) throw new Error('the system has no Debian mirror configured');
  return mirror;
}

/** Makes apt work in a folder of its own, with the system's proxies and mirrors but not its lists and caches. */
function aptOptions(work: string, { suite, mirror }: { suite: string; mirror: string }): string[] {
  for (const dir of ['lists/partial', 'cache/archives/partial']) mkdirSync(path.join(work, dir), { recursive: true });
  const sources = path.join(work, 'debian.sources');
  writeFileSync(sources, `Types: deb\nURIs: ${mirror}\nSuites: ${suite}\nComponents: main\nSigned-By: ${keyring}\n`);
  const settings = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache=${work}/cache`,
    'APT::Sandbox::User=', // as root, apt would change to a user who may not enter here
    'APT::Update::Error-Mode=any', // otherwise an unreachable mirror is a warning
    'Acquire::Languages=none',
    'Acquire::http::Timeout=15',
    'Acquire::https::Timeout=15',
    'Acquire::Retries=1',
  ];
  return ['-q', ...settings.flatMap((setting) => ['-o', setting])];
}

function putInPlace(binary: string, { work, target }: { work: string; target: string }): string {
  const complete = path.join(work, 'complete');
  copyFileSync(binary, complete);
  chmodSync(complete, 0o755);
  accessSync(complete);
  renameSync(complete, target); // a running server keeps the file that it was started from
  return target;
}

/** What a killed fetch left behind; a fetch that still runs is younger than its own time limits. */
function removeAbandoned(): void {
  for (const name of readdirSync(toolsDir).filter((entry) => entry.startsWith(workPrefix))) {
    const work = path.join(toolsDir, name);
    const age = Date.now() - (statSync(work, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 5 * stepLimitMs) rmSync(work, { recursive: true, force: true });
  }
}

/** apt explains itself in its last line. */
function lastLine(error: Error): string {
  const said = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  return (said || error.message).split('\n').at(-1) ?? '';
}
