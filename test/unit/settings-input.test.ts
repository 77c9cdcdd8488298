import { graphql, GraphQLScalarType, type GraphQLSchema, printType } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Provider } from '../../integrations/provider.ts';
import { builder } from '../../src/graphql/builder.ts';
import '../../src/graphql/scalars.ts';
import { createSettingsInput } from '../../src/integrations/settings-input.ts';

function provider(name: string, settings: z.ZodType): Provider {
  return { name, title: name, description: `What ${name} does.`, settings, limits: { batchSize: 1, concurrency: 1, timeoutMs: 1 }, deliver: async () => [] };
}

const pigeon = provider('pigeon', z.object({
  speed: z.enum(['slow', 'veryFast']).default('slow').describe('How fast it flies.'),
  weight: z.number().optional(),
  legs: z.int().min(0).default(2),
  rings: z.array(z.object({ colour: z.string(), isNew: z.boolean().optional() })).max(3),
  aliases: z.array(z.string()).optional(),
  nest: z.object({ place: z.string() }).meta({ id: 'NestPlace' }).optional(),
}));
const drone = provider('drone', z.object({ rings: z.array(z.object({ size: z.number() })).optional() }));

describe('the input of settings, made from the providers’ own schemas', () => {
  let schema: GraphQLSchema;
  beforeAll(() => {
    const type = createSettingsInput([pigeon, drone]);
    builder.queryField('echo', (t) => t.field({ type: 'JSON', args: { settings: t.arg({ type, required: true }) }, resolve: (_root, { settings }) => settings as never }));
    builder.mutationField('nothing', (t) => t.boolean({ resolve: () => true }));
    schema = builder.toSchema();
  });

  const echo = async (settings: string) => {
    const { data, errors } = await graphql({ schema, source: `{ echo(settings: ${settings}) }` });
    return errors ? errors[0]?.message : JSON.parse(JSON.stringify(data?.['echo']));
  };
  const printed = (name: string) => printType(schema.getType(name) ?? new GraphQLScalarType({ name: 'Missing' }));

  test('has a member for each provider, of which one is given', async () => {
    expect(printed('IntegrationSettingsInput')).toContain('pigeon: PigeonSettingsInput');
    expect(printed('IntegrationSettingsInput')).toContain('drone: DroneSettingsInput');
    expect(await echo('{ drone: {} }')).toEqual({ drone: {} });
    expect(await echo('{ drone: {}, pigeon: { rings: [] } }')).toContain('OneOf');
  });

  test('says what may be absent, defaults and descriptions', () => {
    expect(printed('PigeonSettingsInput').replaceAll(/\s+/g, ' ')).toBe(
      'input PigeonSettingsInput { aliases: [String!] legs: Int = 2 nest: NestPlaceInput rings: [RingInput!]! """How fast it flies.""" speed: Speed = SLOW weight: Float }',
    );
    expect(printed('RingInput').replaceAll(/\s+/g, ' ')).toBe('input RingInput { colour: String! isNew: Boolean }');
  });

  test('names a nested type after its provider where another has the name', () => {
    expect(printed('DroneRingInput')).toContain('size: Float!');
  });

  test('hands on the schema’s own values of an enum', async () => {
    expect(await echo('{ pigeon: { speed: VERY_FAST, rings: [{ colour: "red" }] } }')).toEqual({
      pigeon: { speed: 'veryFast', legs: 2, rings: [{ colour: 'red' }] },
    });
  });
});

test('a setting that no input can be made of is named at start', () => {
  expect(() => createSettingsInput([provider('odd', z.object({ when: z.date() }))])).toThrow('odd.when');
  expect(() => createSettingsInput([provider('odd', z.object({ grid: z.array(z.array(z.string())) }))])).toThrow('odd.grid');
});
