import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The trail is read by time, subject and actor; an erased key stays erased. */
export class Audit1763899800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(indexes);
    await runner.query(erasure);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const indexes = `
-- A page is a range of (at, id), and so is a period: both come from the index, newest first.
drop index audit_event_by_time;
drop index audit_event_by_subject;
drop index audit_event_by_actor;
create index audit_event_by_time on audit_event (workspace_id, at, id);
create index audit_event_by_subject on audit_event (workspace_id, subject_id, at, id);
create index audit_event_by_actor on audit_event (workspace_id, actor_id, at, id);
`;

const erasure = `
create function refuse_reviving() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a key is erased, never deleted: the row says that and when' using errcode = 'insufficient_privilege';
  end if;
  if old.wrapped_key is null then
    raise exception 'an erased key stays erased' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;

create trigger erased_for_good before update or delete on subject_key
  for each row execute function refuse_reviving();
create constraint trigger audited after update on subject_key
  deferrable initially deferred for each row execute function require_audit();
alter table subject_key add constraint erased_or_not check ((wrapped_key is null) = (erased_at is not null));
`;
