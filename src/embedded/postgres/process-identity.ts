import { readFile, readlink, readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { runProgram } from '../child.js';

/**
 * Names the space in which process ids mean something: one boot and one pid namespace on Linux. Two containers on
 * one volume both have a process 1; comparing ids across that border would be a mistake.
 */
export async function pidWorld(): Promise<string> {
  if (process.platform !== 'linux') return hostname();
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${boot.trim()} ${namespace}`;
}

/** When a process began, in a form that is only good for comparing; undefined when there is no such process. */
export async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return linuxStart(pid);
  const said =
    process.platform === 'win32'
      ? await powershell(`(Get-Process -Id ${String(pid)}).StartTime.ToFileTimeUtc()`)
      : (await runProgram('/bin/ps', ['-o', 'lstart=', '-p', String(pid)])).stdout;
  return said.trim() === '' ? undefined : said.trim();
}

async function linuxStart(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  // The name in brackets may hold blanks and brackets itself, so count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (state === undefined || state === '' || state === 'Z' || state === 'X') return undefined;
  return fields[19];
}

async function powershell(expression: string): Promise<string> {
  const { stdout } = await runProgram('powershell.exe', [
    '-NoProfile',
    '-NonInteractive',
    '-Command',
    expression,
  ]);
  return stdout;
}

/** Whether the process with this id is a PostgreSQL server on this data directory, and not a later owner of the id. */
export async function servesDataDirectory(pid: number, dataDirectory: string): Promise<boolean> {
  if ((await processStart(pid)) === undefined) return false;
  if (process.platform === 'linux') return worksIn(pid, dataDirectory);
  const id = String(pid);
  const command =
    process.platform === 'win32'
      ? await powershell(`(Get-CimInstance Win32_Process -Filter 'ProcessId=${id}').CommandLine`)
      : (await runProgram('/bin/ps', ['-ww', '-o', 'command=', '-p', id])).stdout;
  return command.includes('postgres') && command.includes(dataDirectory);
}

/** PostgreSQL processes on this data directory (Linux; elsewhere none can be found). */
export async function processesIn(dataDirectory: string): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const found = await Promise.all(pids.map(async (pid) => ((await worksIn(pid, dataDirectory)) ? pid : 0)));
  return found.filter((pid) => pid > 0);
}

// Every PostgreSQL process changes into its data directory.
async function worksIn(pid: number, dataDirectory: string): Promise<boolean> {
  const folder = await readlink(`/proc/${String(pid)}/cwd`).catch(() => '');
  if (folder !== dataDirectory) return false;
  const program = await readlink(`/proc/${String(pid)}/exe`).catch(() => '');
  return basename(program).startsWith('postgres');
}
