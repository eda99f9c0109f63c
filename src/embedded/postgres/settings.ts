/** `durable` for people's data; `test` for throw-away databases, which a crash of the machine may damage. */
export type Profile = 'durable' | 'test';

/** The file in the data directory that holds our settings; `postgresql.conf` includes it. */
export const SETTINGS_FILE = 'countersign.conf';

const COMMON: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  ssl: 'off',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The log goes to the file that the launcher opens and keeps short.
  logging_collector: 'off',
  log_line_prefix: '%m [%p] %q%u@%d ',
  log_checkpoints: 'off',
  // Values of queries can be personal data; they have no place in a log.
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  jit: 'off',
  random_page_cost: '1.1',
};

const BY_PROFILE: Readonly<Record<Profile, Readonly<Record<string, string>>>> = {
  durable: {
    shared_buffers: '256MB',
    effective_cache_size: '1GB',
    work_mem: '8MB',
    maintenance_work_mem: '128MB',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    // `replica` and not `minimal`: online backups and point-in-time recovery need it.
    wal_level: 'replica',
    max_wal_size: '1GB',
    min_wal_size: '64MB',
  },
  test: {
    shared_buffers: '128MB',
    work_mem: '8MB',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_wal_size: '4GB',
    checkpoint_timeout: '1h',
    // A worker inside the template database would make cloning it wait.
    autovacuum: 'off',
  },
};

/** The content of our settings file. */
export function settingsFor(profile: Profile, port: number): string {
  const settings = { port: String(port), ...COMMON, ...BY_PROFILE[profile] };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
  return [
    '# Written at every start of Countersign: changes made here are lost.',
    '# To change a setting for good, use ALTER SYSTEM; it wins over this file.',
    ...lines,
    '',
  ].join('\n');
}
