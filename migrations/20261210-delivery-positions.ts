import { Migration } from '@mikro-orm/migrations';

/** What somebody sees of a delivery; not that a dispatcher has claimed it, and when it will have lost it. */
const shown = ['status', 'reason', 'error_class', 'attempts', 'next_attempt_at', 'finished_at', 'redelivered_at', 'redelivered_by', 'redelivered_by_id', 'redrives'];
const rowOf = (name: string): string => `(${shown.map((column) => `${name}.${column}`).join(', ')})`;

/**
 * Deliveries have a place in the order in which they change, so that subscribers can be told of them: where they were
 * first recorded, and where they last changed after that. A trigger draws the second: there are nine statements that
 * change deliveries, and none can forget it.
 *
 * Two columns, because most deliveries succeed at once and never change: they are in one index by their place, which
 * takes the place of that by their ids, and recording them costs what it did. One column with an index of its own would
 * have made the hot statement dearer by a sixth.
 *
 * Those that are there get places in the order of their ids: the table is put into that order and written anew, which
 * takes some 40 s for a million of them on two busy cores, while nothing is delivered. To give them their places by an
 * update would take twice as long, and leave a table of twice the size.
 */
export class DeliveryPositions extends Migration {
  override up(): void {
    this.addSql(`create sequence delivery_position_seq;`);
    this.addSql(`drop index deliveries_form_id_id_index;`);
    this.addSql(`cluster deliveries using deliveries_pkey;`);
    this.addSql(`alter table deliveries set without cluster;`);
    this.addSql(`set local synchronize_seqscans = off;`); // else it may begin in the middle
    this.addSql(`
      alter table deliveries
        add column recorded_position bigint not null default nextval('delivery_position_seq'::regclass),
        add column changed_position bigint null;
    `);
    this.addSql(`create index deliveries_form_id_recorded_position_index on deliveries (form_id, recorded_position);`);
    this.addSql(`create index deliveries_changed_index on deliveries (form_id, changed_position) where changed_position is not null;`);
    this.addSql(`
      create function draw_delivery_position() returns trigger language plpgsql as $$
      begin
        new.changed_position := nextval('delivery_position_seq');
        return new;
      end $$;
      create trigger deliveries_draw_position before update on deliveries for each row
        when (${rowOf('old')} is distinct from ${rowOf('new')}) execute function draw_delivery_position();
    `);
  }
}
