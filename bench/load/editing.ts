// Documents and their editors. In a closed run each editor sends its next operation when the last one is
// acknowledged; in a paced one operations are due at a fixed rate, one editor after the other.
import type { Change } from '../../src/text/changes.ts';
import { Chance } from '../lib/chance.ts';
import { nowUs, repeat, sleep, sleepUntil, wallSeconds, within } from '../lib/clock.ts';
import type { EditingPlan, LoadFigures, RoomTotal, RunOrder } from '../lib/plan.ts';
import { signToken } from '../lib/token.ts';
import type { EditingProtocol } from '../protocols/editing.ts';
import { makeEditingProtocol } from '../protocols/editing-table.ts';
import { Editor, type EditorListener } from './editor.ts';
import { Replica } from './replica.ts';
import { Tally } from './tally.ts';

const connectingMax = 50;
const tickMs = 1;
const settlePollMs = 5;
const openMsMax = 20_000;
const wrongMax = 3;
/** Units of one insertion or deletion, at most. */
const editUnitsMax = 8;

export class Editing implements EditorListener {
  readonly #plan: EditingPlan;
  readonly #protocol: EditingProtocol;
  readonly #chance = new Chance(1);
  readonly #editors: Editor[] = [];
  readonly #wrong: string[] = [];
  #replicas: readonly Replica[] = [];
  #tally = new Tally();
  #order: RunOrder | undefined;
  #sending = false;
  #operations = 0;

  constructor(plan: EditingPlan) {
    this.#plan = plan;
    this.#protocol = makeEditingProtocol(plan.protocol);
  }

  /** Makes the documents and opens them in all their editors. */
  async prepare(): Promise<void> {
    const { documents, editors } = this.#plan;
    this.#replicas = documents.map((name) => new Replica(name, this.#protocol));
    for (const replica of this.#replicas) {
      const first = await this.#join(replica, `editor-0`);
      first.create(this.#chance.text(this.#plan.units));
      await this.#until(() => !first.isBusy, 'making a document');
      const begin = await this.#open(first);
      replica.start(begin.content, begin.revision);
      first.start(begin);
    }
    const waiting = Array.from({ length: documents.length * (editors - 1) }, (_, index) => index).values();
    const lane = async (): Promise<void> => {
      for (const index of waiting) {
        const replica = this.#replicas[index % documents.length];
        if (replica !== undefined) {
          const editor = await this.#join(replica, `editor-${index + 1}`);
          editor.start(await this.#open(editor));
        }
      }
    };
    await Promise.all(Array.from({ length: connectingMax }, lane));
  }

  async run(order: RunOrder): Promise<readonly RoomTotal[]> {
    this.#order = order;
    this.#tally = new Tally();
    await sleepUntil(order.startUs);
    this.#sending = true;
    const stop = order.pace.kind === 'open' ? this.#sendAtRate(order.pace.ratePerSecond) : this.#sendAll();
    await sleepUntil(order.fromUs);
    this.#tally.open();
    await sleepUntil(order.untilUs);
    this.#tally.close();
    this.#sending = false;
    stop();
    return [];
  }

  /** Waits until every editor has everything, then compares with what the server has. */
  async settle(_totals: readonly RoomTotal[], limitMs: number): Promise<LoadFigures> {
    const limitUs = nowUs() + limitMs * 1_000;
    while (this.#isAwaited() && nowUs() < limitUs) {
      await sleep(settlePollMs);
    }
    const missing = this.#editors.map(({ replica, revision }) => replica.revision - revision);
    const figures = this.#tally.figures({
      receiptsEver: this.#editors.reduce((sum, { answered }) => sum + answered, 0),
      lost: missing.reduce((sum, count) => sum + Math.max(0, count), 0),
      extra: 0,
      receiptsMissing: this.#editors.filter(({ isBusy }) => isBusy).length,
    });
    const differing = await this.#differing();
    return { ...figures, sums: { differing }, wrong: this.#wrong };
  }

  received(editor: Editor, bytes: number): void {
    this.#tally.delivered(bytes);
    // Often enough to bound memory, seldom enough to cost nothing.
    if (++this.#operations % 16_384 === 0) {
      const { replica } = editor;
      const own = this.#editors.filter((other) => other.replica === replica);
      replica.forget(Math.min(...own.map(({ revision }) => revision)));
    }
  }

  acknowledged(editor: Editor, dueUs: number): void {
    this.#tally.received();
    if (this.#isMeasured(dueUs)) {
      this.#tally.receiptLatency.record(nowUs() - dueUs);
    }
    // What was read with the acknowledgement is applied first.
    queueMicrotask(() => this.#sendNext(editor));
  }

  refused(reason: string): void {
    this.#tally.refused(reason);
  }

  wrong(reason: string): void {
    if (this.#wrong.length < wrongMax) {
      this.#wrong.push(reason);
    }
  }

  closed(reason: string): void {
    this.#tally.closed += 1;
    this.#tally.refused(reason);
  }

  async #join(replica: Replica, user: string): Promise<Editor> {
    const { port, secret, editors } = this.#plan;
    const token = signToken(user, secret, wallSeconds());
    const isAlone = editors === 1;
    const options = { replica, protocol: this.#protocol, port, token, listener: this, isAlone };
    const editor = new Editor(options);
    this.#editors.push(editor);
    await editor.isIn;
    return editor;
  }

  #open(editor: Editor): Promise<{ readonly content: string; readonly revision: number }> {
    editor.follow();
    return within(editor.hasOpened, openMsMax, 'opening a document');
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    const limitUs = nowUs() + openMsMax * 1_000;
    while (!isSo()) {
      if (nowUs() > limitUs || this.#tally.closed > 0) {
        throw new Error(`${what} failed`);
      }
      await sleep(settlePollMs);
    }
  }

  /** How many editors have a text that the server has not. */
  async #differing(): Promise<number> {
    let differing = 0;
    for (const replica of this.#replicas) {
      const reader = await this.#join(replica, 'reader');
      const { content, revision } = await this.#open(reader);
      reader.leave();
      const editors = this.#editors.filter((editor) => editor.replica === replica && editor !== reader);
      const isWhole = replica.content === content && replica.revision === revision;
      const others = editors.filter((editor) => !isWhole || editor.revision !== revision).length;
      if (others > 0) {
        differing += others;
        this.wrong(`${others} editors of ${replica.name} have ANOTHER TEXT than the server`);
      }
    }
    return differing;
  }

  #isMeasured(dueUs: number): boolean {
    return this.#order !== undefined && dueUs >= this.#order.fromUs && dueUs < this.#order.untilUs;
  }

  #isAwaited(): boolean {
    return this.#editors.some(({ isBusy, replica, revision }) => isBusy || revision < replica.revision);
  }

  #sendAll(): () => void {
    this.#editors.forEach((editor) => this.#sendNext(editor));
    return () => undefined;
  }

  #sendAtRate(ratePerSecond: number): () => void {
    const untilUs = this.#order?.untilUs ?? 0;
    const intervalUs = 1e6 / ratePerSecond;
    let dueUs = this.#order?.startUs ?? 0;
    let turn = 0;
    return repeat(tickMs, () => {
      const now = nowUs();
      for (; dueUs <= now && dueUs < untilUs; dueUs += intervalUs) {
        const editor = this.#editors[turn++ % this.#editors.length];
        editor?.due.push(dueUs);
        if (editor !== undefined) {
          this.#sendNext(editor);
        }
      }
    });
  }

  /** The editor's next operation, when there is one to send and none under way. */
  #sendNext(editor: Editor): void {
    if (!this.#sending || editor.isBusy) {
      return;
    }
    const isPaced = this.#order?.pace.kind === 'open';
    const dueUs = isPaced ? editor.due.shift() : nowUs();
    if (dueUs === undefined) {
      return;
    }
    this.#tally.sent();
    if (this.#isMeasured(dueUs)) {
      this.#tally.sendLag.record(nowUs() - dueUs);
    }
    editor.send(this.#change(editor.length), dueUs);
  }

  /** A small edit somewhere; the text stays about as long as it began. */
  #change(length: number): Change {
    const chance = this.#chance;
    const size = 1 + chance.below(editUnitsMax);
    const inserts = chance.below(2 * this.#plan.units) >= length;
    if (inserts || length <= size) {
      return { position: chance.below(length + 1), length: 0, text: chance.text(size) };
    }
    return { position: chance.below(length - size + 1), length: size, text: '' };
  }
}
