import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people say about what is governed, and the names by which they call each other. */
export class Comments1764252600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(handles);
    await runner.query(comments);
    await runner.query(activity);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const handles = `
-- The name under which a member is mentioned: given once, from the name they sign in with, and kept when that changes.
alter table member add column handle text not null default gen_random_uuid()::text;

create function handle_of(name text) returns text language sql immutable as $$
  select coalesce(nullif(trim(both '-' from left(regexp_replace(
    lower(translate(regexp_replace(normalize(name, nfkd), '[\\u0300-\\u036f]', '', 'g'), 'łŁøØđĐıß', 'lLoOdDis')),
    '[^a-z0-9]+', '-', 'g'), 40)), ''), 'member')
$$;

create function free_handle(place uuid, name text) returns text language plpgsql as $$
declare
  wanted text := handle_of(name);
  tried text := wanted;
  others integer := 1;
begin
  -- Two who come at once with one name do not get the same handle.
  perform pg_advisory_xact_lock(hashtextextended('member.handle/' || place, 0));
  while exists (select from member where workspace_id = place and handle = tried) loop
    others := others + 1;
    tried := wanted || '-' || others;
  end loop;
  return tried;
end $$;

-- Those who are members already. The columns are new, so no entry of the trail could tell of a change.
alter table member disable trigger audited;
alter table member no force row level security;
alter table app_user no force row level security;
do $$
declare one record;
begin
  for one in select m.id, m.workspace_id, u.display_name from member m join app_user u on u.id = m.user_id order by m.id loop
    update member set handle = free_handle(one.workspace_id, one.display_name) where id = one.id;
  end loop;
end $$;
alter table app_user force row level security;
alter table member force row level security;
alter table member enable trigger audited;

create unique index member_by_handle on member (workspace_id, handle);
alter table member add constraint handle_form check (handle ~ '^[a-z0-9]+(-[a-z0-9]+)*$');

-- After the insert, because a person is seen in a workspace only once they are its member.
create function give_handle() returns trigger language plpgsql as $$
begin
  update member set handle = free_handle(new.workspace_id, (select display_name from app_user where id = new.user_id))
   where id = new.id;
  return null;
end $$;
create trigger give_handle after insert on member for each row execute function give_handle();
`;

const comments = `
create table comment (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  subject_kind text not null check (subject_kind in ('changeRequest', 'modelVersion', 'finding', 'review')),
  subject_id uuid not null,
  -- Whose key seals the text: what is said about a decision may tell of the person whom it is about.
  sealed_for text,
  author_kind text not null check (author_kind in ('user', 'service', 'system')),
  author_id text not null,
  -- Where it was written.
  via text not null check (via in ('COUNTERSIGN', 'SLACK')),
  revision integer not null check (revision > 0),
  created_at timestamptz not null,
  edited_at timestamptz,
  deleted_at timestamptz,
  deleted_by text,
  delete_reason text,
  unique (workspace_id, id),
  check ((deleted_at is null) = (deleted_by is null)),
  check ((subject_kind = 'review') = (sealed_for is not null))
);
create index comment_of_subject on comment (workspace_id, subject_id, id);
select govern('comment');
-- A comment that is gone leaves its tombstone.
revoke delete on comment from app_writer;

create table comment_revision (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  comment_id uuid not null,
  revision integer not null check (revision > 0),
  -- Markdown as it was written; sealed when the comment says for whom.
  body text not null,
  mentions uuid[] not null,
  written_at timestamptz not null,
  unique (comment_id, revision),
  foreign key (workspace_id, comment_id) references comment (workspace_id, id)
);
select govern('comment_revision');
-- History is added to and never rewritten.
revoke update, delete on comment_revision from app_writer;
`;

const activity = `
-- What people did, without the machinery of decisions and of training that comes by the million.
create index audit_event_activity on audit_event (workspace_id, at, id)
  where outcome = 'done' and subject_kind <> all (array['decision', 'decisionBatch', 'session', 'news', 'delivery', 'inbox', 'preference', 'run', 'trackedFile', 'loggedModel', 'slackDelivery']);
`;
