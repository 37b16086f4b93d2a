import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aNode, aPlacement, aShape, BUILT_IN } from './cluster.ts';

const shapeOfGang = (gang: number, slots: number) =>
  aShape(
    { slots },
    { rules: { require: [], prefer: [], exclusive: false, perNode: null, spread: null, gang: `g${gang}` } },
  );

describe.each(BUILT_IN)('gangs placed by $name', (plugin) => {
  it('start whole or not at all, whatever else is placed, ends and waits', () => {
    const gangs = fc.array(fc.record({ size: fc.integer({ min: 1, max: 6 }), slots: fc.integer({ min: 1, max: 3 }) }), {
      minLength: 1,
      maxLength: 5,
    });
    const nodes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
    const order = fc.array(fc.nat(), { maxLength: 60 });
    fc.assert(
      fc.property(gangs, nodes, order, (given, sizes, steps) => {
        const placement = aPlacement(
          sizes.map((slots, at) => aNode(`n${at}`, { capacity: { slots } })),
          { plugin, batch: 10 },
        );
        const members = given.flatMap(({ size, slots }, gang) =>
          Array.from({ length: size }, (_, at) => ({
            key: `g${gang}.${at}`,
            shape: shapeOfGang(gang, slots),
            priority: gang % 2,
            readySince: at,
            tenant: 'work',
            gangSize: size,
          })),
        );
        const singles = Array.from({ length: 6 }, (_, at) => ({
          key: `s.${at}`,
          shape: aShape(),
          priority: at % 3,
          readySince: at,
          tenant: 'work',
        }));
        const waiting = [...members, ...singles];
        const running: { readonly key: string; readonly shape: (typeof waiting)[0]['shape']; readonly node: string }[] =
          [];
        const placedOf = new Map<string, number>();
        for (const [now, step] of steps.entries()) {
          if (step % 3 === 0 && waiting.length > 0) {
            placement.add(waiting.splice(step % waiting.length, 1)[0]!);
          } else if (step % 3 === 1 && running.length > 0) {
            const [ended] = running.splice(step % running.length, 1);
            placement.release(ended!.shape, ended!.node, 'work', ended!.key);
          } else {
            const { placements } = placement.place(now);
            const together = new Map<string, number>();
            for (const { taskRun, node } of placements) {
              const gang = taskRun.split('.')[0]!;
              together.set(gang, (together.get(gang) ?? 0) + 1);
              running.push({
                key: taskRun,
                node,
                shape: [...members, ...singles].find(({ key }) => key === taskRun)!.shape,
              });
            }
            for (const [gang, count] of together) {
              if (gang === 's') continue;
              expect(count).toBe(given[Number(gang.slice(1))]!.size);
              expect(placedOf.has(gang)).toBe(false);
              placedOf.set(gang, count);
            }
            for (const [at, slots] of sizes.entries()) {
              const held = running.filter(({ node }) => node === `n${at}`);
              expect(held.reduce((sum, { shape }) => sum + shape.resources['slots']!, 0)).toBeLessThanOrEqual(slots);
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
