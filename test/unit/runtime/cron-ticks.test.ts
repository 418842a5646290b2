// Goal: ticks come at the times that a cron expression says on the clock of its zone, once each, also where that clock is set
// forward or back; and what is no expression, no zone, or never comes is refused with what is wrong. Method: examples around
// the changes of real zones, and comparison with a clock that is looked at second by second.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CronFault } from '../../../runtime/cron-expression.ts';
import { cronTicks } from '../../../runtime/cron-ticks.ts';

/** The next `count` ticks after `from`, as `MM-DDTHH:MM` or with seconds where there are some, in UTC. */
function ticks(cron: string, timeZone: string, from: string, count: number): string[] {
  const next = cronTicks(cron, timeZone);
  const found: string[] = [];
  for (let at = next(Date.parse(from)); at !== null && found.length < count; at = next(at)) {
    found.push(new Date(at).toISOString().slice(5, 19).replace(/:00$/, ''));
  }
  return found;
}

test('five fields, six fields, names, lists, the last day, the second Friday', () => {
  const from = '2026-03-28T00:00:00.500Z';
  assert.deepEqual(ticks('*/5 * * * *', 'UTC', from, 2), ['03-28T00:05', '03-28T00:10']);
  assert.deepEqual(ticks('*/20 * * * * *', 'UTC', from, 3), ['03-28T00:00:20', '03-28T00:00:40', '03-28T00:01']);
  assert.deepEqual(ticks('0 9 * * MON-FRI', 'UTC', from, 2), ['03-30T09:00', '03-31T09:00']);
  assert.deepEqual(ticks(' 0,30  9   1 JAN,jul  * ', 'UTC', from, 2), ['07-01T09:00', '07-01T09:30']);
  assert.deepEqual(ticks('0 0 L * *', 'UTC', from, 2), ['03-31T00:00', '04-30T00:00']);
  assert.deepEqual(ticks('0 0 * * FRI#2', 'UTC', from, 2), ['04-10T00:00', '05-08T00:00']);
  assert.deepEqual(ticks('0 0 29 2 *', 'UTC', '2096-03-01T00:00:00Z', 1), ['02-29T00:00']);
});

test('nicknames are what they stand for', () => {
  const from = '2026-03-28T00:30:00Z';
  const first = (cron: string) => ticks(cron, 'UTC', from, 1);
  assert.deepEqual(['@hourly', ' @Daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'].flatMap(first), [
    '03-28T01:00',
    '03-29T00:00',
    '03-29T00:00',
    '03-29T00:00',
    '04-01T00:00',
    '01-01T00:00',
    '01-01T00:00',
  ]);
  // Berlin, 25 October 2026: each hour goes on in the one that is repeated, as with `0 * * * *`.
  const repeated = ticks('@hourly', 'Europe/Berlin', '2026-10-25T00:30:00Z', 2);
  assert.deepEqual(repeated, ['10-25T01:00', '10-25T02:00']);
});

test('a tick is after the time that is asked about, never at it', () => {
  const next = cronTicks('* * * * * *', 'Europe/Berlin');
  const at = Date.parse('2026-06-01T12:00:00Z');
  assert.deepEqual([next(at - 1), next(at), next(at + 1), next(at + 999)], [at, at + 1000, at + 1000, at + 1000]);
});

test('the clock is set forward: a named time in the gap comes when that happens, every few minutes goes on', () => {
  // Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
  const eve = '2026-03-28T12:00:00Z';
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', eve, 2), ['03-29T01:00', '03-30T00:30']);
  assert.deepEqual(ticks('15,30 2 * * *', 'Europe/Berlin', eve, 2), ['03-29T01:00', '03-30T00:15']);
  assert.deepEqual(ticks('0 2,3 * * *', 'Europe/Berlin', eve, 2), ['03-29T01:00', '03-30T00:00']);
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-29T01:00:00Z', 1), ['03-30T00:30']);
  const hourly = ['03-29T00:30', '03-29T01:30', '03-29T02:30'];
  assert.deepEqual(ticks('30 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 3), hourly);
});

test('the clock is set back: a named time comes the first time only, every few minutes goes on', () => {
  // Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
  const eve = '2026-10-24T12:00:00Z';
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', eve, 2), ['10-25T00:30', '10-26T01:30']);
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-25T01:00:00Z', 1), ['10-26T01:30']);
  const hourly = ['10-24T23:30', '10-25T00:30', '10-25T01:30', '10-25T02:30'];
  assert.deepEqual(ticks('30 * * * *', 'Europe/Berlin', '2026-10-24T23:00:00Z', 4), hourly);
  assert.deepEqual(ticks('30 * * * *', 'Europe/Berlin', '2026-10-25T01:10:00Z', 2), hourly.slice(2));
  assert.deepEqual(ticks('* * * * * *', 'Europe/Berlin', '2026-10-25T00:59:58Z', 3).at(-1), '10-25T01:00:01');
});

test('half an hour, midnight, and a day that was left out', () => {
  assert.deepEqual(ticks('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00:00Z', 1), ['10-03T15:30']);
  assert.deepEqual(ticks('0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', 2), ['11-04T03:00', '11-05T02:00']);
  assert.deepEqual(ticks('0 12 30 12 *', 'Pacific/Apia', '2011-12-28T00:00:00Z', 1), ['12-30T10:00']);
});

test('the same ticks from wherever one looks, as a clock shows them', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'];
  const changes = ['2026-03-08', '2026-03-29', '2026-04-04', '2026-10-03', '2026-10-25', '2026-11-01', '2026-06-15'];
  const minutes = fc.constantFrom('*', '*/15', '0', '30', '7,52');
  const hours = fc.constantFrom('*', '*/2', '*/3');
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...changes),
      minutes,
      hours,
      fc.integer({ min: 0, max: 86_400 }),
      (zone, day, minute, hour, second) => {
        const next = cronTicks(`${minute} ${hour} * * *`, zone);
        const format = new Intl.DateTimeFormat('en-US', {
          ...{ timeZone: zone, hourCycle: 'h23', hour: 'numeric', minute: 'numeric' },
        });
        const fits = (at: number) => {
          const [h = 0, m = 0] = format.format(at).split(':').map(Number);
          const isMinute =
            minute === '*' || (minute === '*/15' ? m % 15 === 0 : minute.split(',').map(Number).includes(m));
          return isMinute && (hour === '*' || h % Number(hour.slice(2)) === 0);
        };
        const from = Date.parse(`${day}T00:00:00Z`) + second * 1000;
        let expected = Math.floor(from / 60_000) * 60_000 + 60_000;
        while (!fits(expected)) expected += 60_000;
        assert.equal(next(from), expected);
      },
    ),
    { numRuns: 300 },
  );
});

test('whatever time one asks about: a later one or never, and no exception', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Kiritimati', 'Pacific/Pago_Pago'];
  const edges = [-8.64e15, 8.64e15, -62_135_596_800_000, 253_402_300_799_999, 0];
  const time = fc.oneof(
    fc.tuple(fc.constantFrom(...edges), fc.integer({ min: -1e8, max: 1e8 })).map(([edge, by]) => edge + by),
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
    fc.constantFrom(1e308, -1e308, Infinity, -Infinity),
  );
  const crons = fc.constantFrom('0 3 * * *', '* * * * * *', '*/7 */5 29 2 *', '30 2 L * *');
  fc.assert(
    fc.property(fc.constantFrom(...zones), crons, time, (zone, cron, after) => {
      const at = cronTicks(cron, zone)(after);
      assert.ok(at === null || at > after, `${at}`);
    }),
  );
});

test('an expression that was read does not lend itself to another zone and expression with the same words', () => {
  assert.ok(cronTicks('0 * * * * *', 'UTC'));
  assert.throws(() => cronTicks('* * * * *', 'UTC 0'), { name: 'CronFault', field: 'timeZone' });
});

test('what never comes is found out once', () => {
  const faultOf = (cron: string): unknown => {
    try {
      return cronTicks(cron, 'UTC');
    } catch (error) {
      return error;
    }
  };
  const first = faultOf('0 0 30 2 *');
  assert.ok(first instanceof CronFault);
  assert.equal(faultOf('0 0 30 2 *'), first);
  assert.notEqual(faultOf('0 0 31 2 *'), first);
});

test('what is no expression is refused with what is wrong', () => {
  const refused = (cron: string, timeZone: string, field: string, message: RegExp) =>
    assert.throws(
      () => cronTicks(cron, timeZone),
      (error: unknown) => error instanceof CronFault && error.field === field && message.test(error.message),
      cron,
    );
  for (const cron of ['* * * *', '* * * * * * *', '2026-01-01T00:00:00Z', 'every minute']) {
    refused(cron, 'UTC', 'cron', /must have five fields/);
  }
  for (const cron of ['', '  ']) refused(cron, 'UTC', 'cron', /; it has none$/);
  for (const cron of ['@reboot', '@every 5m', '@', '@daily 5 * * *']) {
    refused(cron, 'UTC', 'cron', /^is none of the nicknames, which are @yearly, /);
  }
  for (const cron of [
    '60 * * * *',
    '* 24 * * *',
    '*/0 * * * *',
    '/5 * * * *',
    '5-1 * * * *',
    'a * * * *',
    '* * * * 8',
  ]) {
    refused(cron, 'UTC', 'cron', /is no cron expression: ./);
  }
  refused('0 0 * * MONN', 'UTC', 'cron', /: its weekday is "MONN", which has to be \*, or of 0 to 7, SUN to SAT/);
  refused('0 0 1 JANU,99 *', 'UTC', 'cron', /: its month is "JANU,99"/);
  refused('60 0 0 L * *', 'UTC', 'cron', /: its second is "60", which has to be \*, or of 0 to 59/);
  refused('0 0 32 13 *', 'UTC', 'cron', /: its day of month is "32"/);
  for (const cron of ['0 0 30 2 *', '0 0 31 2,4,6,9,11 *', '0 0 0 30 FEB *']) {
    refused(cron, 'UTC', 'cron', /never comes/);
  }
  for (const zone of ['', 'Mars/Olympus', '+02:00', '../etc', 'UTC ', 'x'.repeat(100)]) {
    refused('* * * * *', zone, 'timeZone', /is no IANA time zone/);
  }
});
