// The text format of Prometheus, read as strictly as its specification has it.

export interface Family {
  readonly type: string;
  readonly help: string;
  /** By labels as they are written: `{code="a"}`, or nothing. */
  readonly values: ReadonlyMap<string, number>;
}

const helpLine = /^# HELP ([a-zA-Z_:][\w:]*) (.+)$/;
const typeLine = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/;
const sampleLine =
  /^([a-zA-Z_:][\w:]*)((?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)+\})?) (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/;

/** @throws Error for a text that Prometheus might not take. */
export function parsePrometheus(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, { type: string; help: string; values: Map<string, number> }>();
  const lines = text.slice(0, -1).split('\n');
  let name = '';
  for (const [index, line] of lines.entries()) {
    const [, helped, help = ''] = helpLine.exec(line) ?? [];
    if (helped !== undefined) {
      if (families.has(helped)) throw new Error(`${helped} stands twice`);
      const [, typed, type = ''] = typeLine.exec(lines[index + 1] ?? '') ?? [];
      if (typed !== helped) throw new Error(`${helped} has no type`);
      name = helped;
      families.set(name, { type, help, values: new Map() });
    } else if (!line.startsWith('# TYPE ')) {
      const [, sample, labels = '', value = ''] = sampleLine.exec(line) ?? [];
      const family = families.get(name);
      if (sample === undefined || !family) throw new Error(`no sample: ${line}`);
      const suffix = sample.slice(name.length);
      const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      if (!sample.startsWith(name) || !suffixes.includes(suffix))
        throw new Error(`${line} is not of ${name}`);
      if (family.values.has(`${suffix}${labels}`)) throw new Error(`${sample}${labels} stands twice`);
      family.values.set(`${suffix}${labels}`, Number(value));
    }
  }
  return families;
}
