import { Migration } from '@mikro-orm/migrations';

/** Members with their roles, invitations, and what partners are granted. Whoever there is owns their organisation. */
export class Members extends Migration {
  override up(): void {
    this.addSql(`
      create table memberships (
        id text collate "C" not null,
        organization_id text collate "C" not null,
        user_id text collate "C" not null,
        role text not null,
        created_at timestamptz(3) not null,
        primary key (id)
      );
      create index memberships_organization_id_id_index on memberships (organization_id, id);
      alter table memberships add constraint memberships_user_id_organization_id_unique unique (user_id, organization_id);
      alter table memberships add constraint memberships_organization_id_foreign foreign key (organization_id) references organizations (id);
      alter table memberships add constraint memberships_user_id_foreign foreign key (user_id) references users (id);
      insert into memberships (id, organization_id, user_id, role, created_at)
      select 'mem_' || substr(id, 5), organization_id, id, 'owner', created_at from users;

      create table invitations (
        id text collate "C" not null,
        organization_id text collate "C" not null,
        invited_by_id text collate "C" not null,
        email text not null,
        role text not null,
        form_ids jsonb not null,
        hash text collate "C" not null,
        created_at timestamptz(3) not null,
        expires_at timestamptz(3) not null,
        accepted_at timestamptz(3) null,
        revoked_at timestamptz(3) null,
        primary key (id)
      );
      create index invitations_organization_id_id_index on invitations (organization_id, id);
      create index invitations_invited_by_id_index on invitations (invited_by_id);
      alter table invitations add constraint invitations_hash_unique unique (hash);
      alter table invitations add constraint invitations_organization_id_foreign foreign key (organization_id) references organizations (id);
      alter table invitations add constraint invitations_invited_by_id_foreign foreign key (invited_by_id) references users (id);

      create table form_grants (
        membership_id text collate "C" not null,
        form_id text collate "C" not null,
        primary key (membership_id, form_id)
      );
      create index form_grants_form_id_index on form_grants (form_id);
      alter table form_grants add constraint form_grants_membership_id_foreign
        foreign key (membership_id) references memberships (id) on update cascade on delete cascade;
      alter table form_grants add constraint form_grants_form_id_foreign foreign key (form_id) references forms (id) on update cascade on delete cascade;

      alter table sessions add column organization_id text collate "C" null;
      update sessions set organization_id = users.organization_id from users where users.id = sessions.user_id;
      alter table sessions alter column organization_id set not null;
      alter table sessions add constraint sessions_organization_id_foreign foreign key (organization_id) references organizations (id);

      alter table integrations add column partner_id text collate "C" null;
      create index integrations_partner_id_index on integrations (partner_id);
      alter table integrations add constraint integrations_partner_id_foreign foreign key (partner_id) references users (id) on delete no action;
    `);
  }
}
