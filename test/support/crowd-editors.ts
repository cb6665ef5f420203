// Users who edit two documents at once: of one everything, of the other nothing is taken away, so that what is lost or
// doubled shows in its length.
import { expect } from 'vitest';
import type { Chance } from '../../bench/lib/chance.ts';
import type { Document } from '../../src/client/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { OurClient } from './our-client.ts';
import type { TestServer } from './server.ts';

/** How fast somebody types. */
const keyEveryMs = 15;
/** Above it more is deleted than inserted. */
const unitsMax = 600;

interface Editor {
  readonly client: OurClient;
  readonly document: Document;
}

export class CrowdEditors {
  readonly #chance: Chance;
  readonly #complain: (complaint: string) => void;
  readonly #editors: Editor[] = [];
  #grown = 0;

  constructor(chance: Chance, complain: (complaint: string) => void) {
    this.#chance = chance;
    this.#complain = complain;
  }

  async open(clients: readonly OurClient[]): Promise<void> {
    for (const client of clients) {
      for (const docId of ['edited', 'grown']) {
        const document = await client.opened(docId);
        document.onEvent((event) => {
          if (event.type === 'reset' || event.type === 'refused')
            this.#complain(`${docId}: ${JSON.stringify(event)}`);
        });
        this.#editors.push({ client, document });
      }
    }
  }

  async work(isOver: () => boolean): Promise<void> {
    await Promise.all(this.#editors.map((editor) => this.#edit(editor, isOver)));
  }

  async check(server: TestServer): Promise<void> {
    for (const { document } of this.#editors) await document.settled();
    for (const docId of ['edited', 'grown']) {
      const { body } = await server.rest('GET', `/api/documents/${docId}`, { user: 'someone' });
      const { content } = body as { content: string };
      for (const { client, document } of this.#editors) {
        if (document.docId === docId) await client.shows(document, content);
      }
      if (docId === 'grown') expect(content.length).toBe(this.#grown);
    }
  }

  async #edit({ document }: Editor, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (document.docId === 'grown') this.#grow(document);
      else this.#change(document);
      await new Promise<void>((resolve) => void systemClock.after(keyEveryMs, resolve));
    }
  }

  #grow(document: Document): void {
    const text = this.#chance.text(1 + this.#chance.below(5));
    document.insert(this.#chance.below(document.text.length + 1), text);
    this.#grown += text.length;
  }

  #change(document: Document): void {
    const chance = this.#chance;
    const units = document.text.length;
    const position = chance.below(units + 1);
    const length = Math.min(chance.below(units > unitsMax ? 20 : 5), units - position);
    const text = chance.text(chance.below(6));
    const what = chance.below(40);
    if (what === 0) document.undo();
    else if (what === 1) document.redo();
    else if (what < 5) document.placeCursor(position);
    else document.edit([{ position, length, text }]);
  }
}
