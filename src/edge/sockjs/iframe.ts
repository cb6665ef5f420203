// The page that lets old browsers talk to us from pages of other origins: they load it into a frame.
import { createHash } from 'node:crypto';

export interface IframePage {
  readonly body: string;
  readonly etag: string;
}

/** @param clientUrl where the page loads the SockJS client from. */
export function iframePage(clientUrl: string): IframePage {
  const body = `<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script>
    document.domain = document.domain;
    _sockjs_onload = function(){SockJS.bootstrap_iframe();};
  </script>
  <script src="${clientUrl}"></script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>`;
  return { body, etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"` };
}
