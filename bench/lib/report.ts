// The report: a Markdown table for people and one JSON line for everything else.
import type { Column, Scenario } from '../scenarios/scenario.ts';
import type { Outcome } from './figures.ts';
import type { Machine } from './machine.ts';
import { wallTime } from './clock.ts';
import { spreadOf, type Spread } from './statistics.ts';

/** Everything about one target. */
export interface TargetResult {
  readonly name: string;
  readonly version: string;
  readonly stores: string;
  readonly rounds: readonly Outcome[];
  /** Why there are fewer rounds than asked for. */
  readonly error?: string;
}

export interface Report {
  readonly scenario: Scenario;
  readonly machine: Machine;
  readonly options: Readonly<Record<string, number | string>>;
  readonly results: readonly TargetResult[];
  /** Targets that were asked for and can't take part, each with the reason. */
  readonly leftOut: readonly string[];
}

/** The target whose cost is 1. */
function comparedTo({ cost }: Scenario): string {
  return cost?.target ?? 'uws';
}

/** Median and spread of every figure over a target's rounds. */
function summaryOf(rounds: readonly Outcome[]): Record<string, Spread> {
  const names = new Set(rounds.flatMap(({ figures }) => Object.keys(figures)));
  const summary: Record<string, Spread> = {};
  for (const name of names) {
    const spread = spreadOf(rounds.map(({ figures }) => figures[name] ?? Number.NaN));
    if (spread !== undefined) {
      summary[name] = spread;
    }
  }
  return summary;
}

function mediansOf(rounds: readonly Outcome[]): Record<string, number> {
  const medians = Object.entries(summaryOf(rounds)).map(([name, { median }]) => [name, median] as const);
  return Object.fromEntries(medians);
}

/** Cost in relation to the limit, round by round, since rounds lie close in time and the machine drifts. */
function ratioOf(result: TargetResult, { scenario, results }: Report): Spread | undefined {
  const limit = results.find(({ name }) => name === comparedTo(scenario));
  const figure = scenario.cost?.figure ?? '';
  const ratios = result.rounds.map((round, index) => {
    return (round.figures[figure] ?? Number.NaN) / (limit?.rounds[index]?.figures[figure] ?? Number.NaN);
  });
  return spreadOf(ratios);
}

function rangeText({ median, min, max }: Spread, digits: number): string {
  const text = median.toFixed(digits);
  return min === max ? text : `${text} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function cellText(column: Column, summary: Readonly<Record<string, Spread>>): string {
  const cells = column.figures.map((name) => {
    const spread = summary[name];
    if (spread === undefined) {
      return '–';
    }
    return column.spread === true ? rangeText(spread, column.digits) : spread.median.toFixed(column.digits);
  });
  return cells.every((cell) => cell === '–') ? '–' : cells.join(' / ');
}

function rowOf(result: TargetResult, report: Report): readonly string[] {
  const { columns, cost } = report.scenario;
  const summary = summaryOf(result.rounds);
  const ratio = ratioOf(result, report);
  return [
    result.name,
    ...(cost === undefined ? [] : [ratio === undefined ? '–' : rangeText(ratio, 2)]),
    ...columns.map((column) => cellText(column, summary)),
    result.stores,
  ];
}

/** Everything to know beside the figures, one line each. */
export function remarksOf({ results, leftOut }: Report): readonly string[] {
  const remarks = results.flatMap(({ name, rounds, error }) => [
    ...(error === undefined ? [] : [`ERROR ${name}: ${error}`]),
    ...new Set(rounds.flatMap(({ problems }) => problems.map((problem) => `WRONG ${name}: ${problem}`))),
    ...new Set(rounds.flatMap(({ warnings }) => warnings.map((warning) => `warning ${name}: ${warning}`))),
  ]);
  return [...remarks, ...leftOut.map((reason) => `left out ${reason}`)];
}

/** Whether every target ran and nothing was lost. */
export function isSound(results: readonly TargetResult[]): boolean {
  return results.every(({ rounds, error }) => {
    return error === undefined && rounds.every(({ problems }) => problems.length === 0);
  });
}

/** The table with the machine above it and the remarks below. */
export function markdownOf(report: Report): string {
  const { scenario, machine, options, results } = report;
  const titles = [
    'target',
    ...(scenario.cost === undefined ? [] : [scenario.cost.title]),
    ...scenario.columns.map(({ title }) => title),
    'stores',
  ];
  const rows = [titles, titles.map(() => '---'), ...results.map((result) => rowOf(result, report))];
  const optionText = Object.entries(options).map(([name, value]) => `${name} ${value}`);
  return [
    `### ${scenario.name}: ${scenario.summary}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}; ` +
      `${machine.pinning}; database ${machine.database}`,
    `Options: ${optionText.join(', ')}. Median of the rounds, in brackets the least and the greatest.`,
    '',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    ...remarksOf(report).flatMap((remark) => ['', remark]),
    '',
  ].join('\n');
}

/** Four significant digits are more than any of these figures deserves; whole numbers stay whole. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}

/** Everything as one line of JSON. */
export function jsonOf(report: Report): string {
  const { scenario, machine, options, results, leftOut } = report;
  const other = comparedTo(scenario);
  const ratioName = `ratioTo${other.charAt(0).toUpperCase()}${other.slice(1)}`;
  const line = {
    scenario: scenario.name,
    takenAt: wallTime(),
    sound: isSound(results),
    machine,
    options,
    leftOut,
    targets: results.map((result) => ({
      ...result,
      [ratioName]: ratioOf(result, report),
      median: mediansOf(result.rounds),
    })),
  };
  return JSON.stringify(line, (_, value: unknown) => (typeof value === 'number' ? rounded(value) : value));
}
