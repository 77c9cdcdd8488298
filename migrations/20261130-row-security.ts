import { Migration } from '@mikro-orm/migrations';

const organization = `(select current_setting('formwire.organization_id', true))`;
const user = `(select current_setting('formwire.user_id', true))`;
/** Of a table whose rows belong to forms: what is seen of `forms` says its own policy. */
const ofForm = `exists (select 1 from forms f where f.id = form_id)`;

/** What the reader sees of each table, by the settings of its connection: nothing where they are not there. */
const visible: Record<string, string> = {
  organizations: `id = ${organization} or exists (select 1 from memberships m where m.organization_id = organizations.id and m.user_id = ${user})`,
  users: `id = ${user} or exists (select 1 from memberships m where m.user_id = users.id and m.organization_id = ${organization})`,
  memberships: `organization_id = ${organization} or user_id = ${user}`,
  invitations: `organization_id = ${organization}`,
  form_grants: ofForm,
  api_keys: `organization_id = ${organization}`,
  forms: `organization_id = ${organization}`,
  form_versions: ofForm,
  sections: ofForm,
  questions: ofForm,
  choices: `exists (select 1 from questions q where q.id = question_id)`,
  responses: ofForm,
  reviews: `exists (select 1 from responses r where r.family_id = reviews.family_id)`,
  integrations: `organization_id = ${organization}`,
  deliveries: `organization_id = ${organization}`,
  attempts: `exists (select 1 from deliveries d where d.id = delivery_id)`,
  outbox: `organization_id = ${organization}`,
};

/** What the API reads only through the owner: nobody else sees any of it. */
const closed = ['sessions', 'refresh_tokens', 'form_places'];

/**
 * The second line behind the predicates of the API's statements: its reads have a role that sees the rows of one
 * organisation. The owner of the tables is not subject to the policies: what writes and what delivers is for all
 * organisations. The role itself belongs to the cluster, and is there before any migration (see `ensureReaderRole`).
 *
 * A setting is asked for in a subquery, so that it is evaluated once for a statement and not for each row. What belongs
 * to a form or delivery is found through it: a column of its own would have to be written by the hot statements.
 */
export class RowSecurity extends Migration {
  override up(): void {
    this.addSql(`do $$ begin execute format('grant usage on schema %I to formwire_reader', current_schema()); end $$;`);
    for (const [table, condition] of Object.entries(visible)) {
      this.addSql(`alter table ${table} enable row level security;`);
      this.addSql(`create policy ${table}_of_organization on ${table} for select to formwire_reader using (${condition});`);
      this.addSql(`grant select on ${table} to formwire_reader;`);
    }
    for (const table of closed) this.addSql(`alter table ${table} enable row level security;`);
  }
}
