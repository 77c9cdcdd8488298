import { Migration } from '@mikro-orm/migrations';

/** Durable work of integrations that is no delivery, what it has found of them, and the deliveries that it makes. */
export class Jobs extends Migration {
  override up(): void {
    this.addSql(`
      create table jobs (
        id text collate "C" not null,
        organization_id text collate "C" not null,
        integration_id text collate "C" not null,
        kind text not null,
        status text not null,
        asked int not null,
        input jsonb not null,
        cursor jsonb null,
        progress jsonb not null,
        result jsonb null,
        reason text null,
        attempts int not null,
        next_attempt_at timestamptz(3) null,
        claimed_by text collate "C" null,
        claim_expires_at timestamptz(3) null,
        created_at timestamptz(3) not null,
        started_at timestamptz(3) null,
        finished_at timestamptz(3) null,
        primary key (id)
      );
      create index jobs_integration_id_id_index on jobs (integration_id, id);
      create index jobs_finished_at_index on jobs (finished_at);
      create unique index jobs_unfinished_index on jobs (integration_id, kind) where status in ('waiting', 'running');
      create index jobs_due_index on jobs (next_attempt_at) where status in ('waiting', 'running');
      alter table jobs enable row level security;
      create policy jobs_of_organization on jobs for select to formwire_reader
        using (organization_id = (select current_setting('formwire.organization_id', true)));
      grant select on jobs to formwire_reader;

      alter table integrations add column resource_url text null, add column fault text null;

      alter table deliveries add column job_id text collate "C" null;
      create index deliveries_job_id_index on deliveries (job_id, status) where job_id is not null and status <> 'delivered';
    `);
  }
}
