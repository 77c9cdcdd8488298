import type { Json } from '../events/canonical-json.ts';
import { Refusal } from './read-value.ts';
import type { GeoPoint } from './response.entity.ts';

const members = {
  latitude: { least: -90, most: 90 },
  longitude: { least: -180, most: 180 },
  accuracy: { least: 0, most: 50_000_000 },
  altitude: { least: -50_000_000, most: 50_000_000 },
} as const;
type Member = keyof typeof members;

const isMember = (name: string): name is Member => Object.hasOwn(members, name);

/** Reads a place on earth: latitude and longitude, and what else a receiver of GPS knows. An unknown member is refused, not dropped. */
export function readGeoPoint(value: Json): GeoPoint | Refusal {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Refusal('must be a place, such as { "latitude": 18.52, "longitude": 73.86 }');
  const point: Partial<Record<Member, number>> = {};
  for (const [name, number] of Object.entries(value as { readonly [key: string]: Json })) {
    if (!isMember(name)) return new Refusal('can have latitude, longitude, accuracy and altitude, and nothing else');
    if (number === null) continue;
    const { least, most } = members[name];
    if (typeof number !== 'number' || !(number >= least && number <= most)) return new Refusal(`needs a number from ${least} to ${most} as ${name}`);
    point[name] = number;
  }
  const { latitude, longitude } = point;
  if (latitude === undefined || longitude === undefined) return new Refusal('needs both a latitude and a longitude');
  return { ...point, latitude, longitude };
}
