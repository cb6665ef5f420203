// The page at /docs, in a real browser.
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { runsPages } from '../support/chromium.ts';
import { Description } from '../support/description.ts';
import { createRoom } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';

describe.runIf(runsPages)('the page at /docs', () => {
  let server: TestServer;
  let browser: Browser;
  /** What went wrong in a page, and what it asked of other servers. */
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await startServer({ settings: { edges: '1', shards: '1' } });
    browser = await openBrowser();
  });

  async function openPage(hash = '', colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const page = await browser.newPage({ colorScheme });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (!/^(?:data:|blob:)/.test(request.url()) && !request.url().startsWith(server.url)) {
        complaints.push(`asked ${request.url()}`);
      }
    });
    await page.goto(`${server.url}/docs${hash}`);
    await page.locator('.operation').first().waitFor();
    return page;
  }

  test('[DOCS1] is served to everybody, and may load nothing from elsewhere', async () => {
    const { status, headers } = await server.rest('GET', '/docs');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  });

  test('[DOCS1] shows every operation of the description in its group', async () => {
    const page = await openPage();
    const { operations } = await Description.of(server);
    const shown = await page.locator('.operation > summary').evaluateAll((all) =>
      all.map((one) => {
        const texts = ['.method', '.path', '.summary'].map((part) => one.querySelector(part)?.textContent);
        const group = one.closest('section')?.querySelector('h2')?.textContent;
        return [group, ...texts].join(' ');
      }),
    );
    const expected = operations.map(({ method, path, operation }) => {
      const roles = (operation['x-roles'] ?? []) as readonly string[];
      const summary = [String(operation['summary']).replaceAll('`', ''), ...roles].join(' ');
      return [(operation['tags'] as string[])[0], method, path, summary].join(' ');
    });
    expect(shown.toSorted()).toEqual(expected.toSorted());
    expect(complaints).toEqual([]);
  });

  test('[DOCS1] an operation shows its parameters, body, example and answers', async () => {
    const page = await openPage('#roomCreate');
    const operation = page.locator('#roomCreate');
    await expect.poll(() => operation.getByRole('rowheader', { name: 'name', exact: true }).count()).toBe(2);
    expect(await operation.getByRole('group', { name: 'Body' }).innerText()).toMatch(
      /name\s+text\s+1 to 255 characters\s+isPrivate optional\s+true or false or null\s+default false/,
    );
    expect(await operation.getByRole('textbox', { name: 'Idempotency-Key' }).count()).toBe(1);
    const example = await operation.getByRole('textbox', { name: 'Body' }).inputValue();
    expect(JSON.parse(example)).toEqual({ name: 'text', isPrivate: false });
    const answers = await operation.locator('.answer > summary .status').allInnerTexts();
    expect(answers).toEqual(['201', '400', '401', '409', '413', '500', '503']);
  });

  test('[DOCS2] requests are sent with the token, and their answers shown', async () => {
    const page = await openPage('#roomCreate');
    await page.getByLabel('Token').fill(await server.token('alice', ['service']));
    expect(await page.locator('#token-state').innerText()).toMatch(/^Of alice, service, until /);
    const create = page.locator('#roomCreate');
    await create.getByRole('textbox', { name: 'Body' }).fill('{"name": "made on a page"}');
    await create.getByRole('button', { name: 'Send' }).click();
    await create.locator('.output pre').waitFor();
    expect(await create.locator('.output').innerText()).toMatch(/^201 Created/);
    const { roomId } = JSON.parse(await create.locator('.output pre').innerText()) as { roomId: string };
    const rooms = await server.rest('GET', `/api/rooms/${roomId}`, { user: 'alice' });
    expect(rooms.body).toMatchObject({ name: 'made on a page', createdBy: 'alice' });

    await page.locator('#roomHistory > summary').click();
    const history = page.locator('#roomHistory');
    await history.getByRole('textbox', { name: 'id' }).fill('a/b?c');
    await history.getByRole('textbox', { name: 'limit' }).fill('5');
    await history.getByRole('button', { name: 'Send' }).click();
    await history.locator('.output pre').waitFor();
    // The id is one segment, whatever is in it.
    expect(await history.locator('.output').innerText()).toMatch(/^404 Not Found[^]*"roomId": "a\/b\?c"/);
    await history.getByText('As a curl command').click();
    const curl = await history.getByLabel('The request for curl').innerText();
    expect(curl).toContain(`'${server.url}/api/rooms/a%2Fb%3Fc/messages?limit=5'`);
    expect(curl).toContain('-H "Authorization: Bearer $TOKEN"');
    expect(curl).not.toContain('eyJ');
  });

  test('[DOCS2] what is refused is shown as it is, and a token that has expired is told', async () => {
    const page = await openPage('#userRooms');
    const list = page.locator('#userRooms');
    await list.getByRole('button', { name: 'Send' }).click();
    await list.locator('.output pre').waitFor();
    expect(await list.locator('.output').innerText()).toMatch(/^401 Unauthorized[^]*"code": "UNAUTHORIZED"/);
    await page.getByLabel('Token').fill(await server.token('alice', [], -1_000));
    expect(await page.locator('#token-state').innerText()).toBe('Of alice; it has expired.');
    await page.getByLabel('Token').fill('<b>nonsense</b>');
    expect(await page.locator('#token-state').innerText()).toBe('This is no token.');
    // A refusal is what a browser writes down as an error of its own.
    complaints.splice(0);
  });

  test('[DOCS3] nothing that a server says becomes markup', async () => {
    const name = '<img src=x onerror="document.title = 1">';
    const created = await server.rest('POST', '/api/rooms', { user: 'alice', body: { name } });
    const { roomId } = created.body as { roomId: string };
    const page = await openPage('#roomGet');
    await page.getByLabel('Token').fill(await server.token('alice'));
    const get = page.locator('#roomGet');
    await get.getByRole('textbox', { name: 'id' }).fill(roomId);
    await get.getByRole('button', { name: 'Send' }).click();
    await get.locator('.output pre').waitFor();
    expect(JSON.parse(await get.locator('.output pre').innerText())).toMatchObject({ name });
    expect(await get.locator('.output img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('[DOCS4] operations are found by words and by their address', async () => {
    const page = await openPage('#roomMembers');
    expect(await page.locator('.operation[open]').evaluateAll((all) => all.map(({ id }) => id))).toEqual([
      'roomMembers',
    ]);
    await page.getByLabel('Find').fill('post members');
    expect(await page.locator('.operation:visible .path').allInnerTexts()).toEqual([
      '/api/rooms/{id}/members',
    ]);
    expect(await page.locator('nav li:visible').count()).toBe(1);
    expect(await page.locator('main section:visible').count()).toBe(1);
  });

  test('[DOCS5] everything can be done by keyboard', async () => {
    const roomId = await createRoom(server, 'alice');
    const page = await openPage();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').innerText()).toBe('Skip to the operations');
    for (let presses = 0; presses < 2; presses += 1) await page.keyboard.press('Tab');
    await page.keyboard.type(await server.token('alice'));
    expect(await page.locator('#token-state').innerText()).toMatch(/^Of alice/);
    await page.locator('#roomGet > summary').focus();
    await page.keyboard.press('Enter');
    await page.locator('#roomGet').getByRole('textbox', { name: 'id' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type(roomId);
    await page.keyboard.press('Enter');
    await page.locator('#roomGet .output pre').waitFor();
    expect(await page.locator('#roomGet .output').innerText()).toMatch(/^200 OK/);
  });

  test.each(['light', 'dark'] as const)(
    '[DOCS5] axe finds nothing to mend, in %s colours',
    async (scheme) => {
      const page = await openPage('', scheme);
      for (const id of ['roomCreate', 'roomHistory', 'readyz'])
        await page.locator(`#${id} > summary`).click();
      await page.locator('#readyz').getByRole('button', { name: 'Send' }).click();
      await page.locator('#readyz .output pre').waitFor();
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() =>
        (globalThis as unknown as { axe: typeof axe }).axe.run(),
      );
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual(
        [],
      );
    },
  );
});
