import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A link from Slack that names no workspace is good once, not once in each workspace. */
export class SlackTickets1764255600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create unique index slack_link_ticket on slack_link (ticket_id)');
    await runner.query('alter table slack_link drop constraint slack_link_workspace_id_ticket_id_key');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
