// What a test of the portal begins with: the real server with its demo, a service that counts, a script's view of the
// server, and a browser that is signed in. All of it ends after the file's last test.
import { after } from "node:test";
import { apiOf, startWitness } from "./api.mjs";
import { firstSignIn, openPage, startBrowser, startServer } from "./server.mjs";

/** `server` and `api` are those of the server as it runs now. */
export async function startPortal() {
  const portal = {};
  after(async () => {
    await portal.browser?.close();
    await portal.witness?.stop();
    await portal.server?.stop();
  });
  portal.server = await startServer();
  portal.witness = await startWitness();
  portal.browser = await startBrowser();
  portal.api = await apiOf(portal.server);
  const state = await firstSignIn(portal.browser, portal.server);
  return Object.assign(portal, {
    /** A page of somebody who is signed in. */
    open: (screen) => openPage(portal.browser, state, screen, { baseURL: portal.server.base }),
    /** Up again on the same data and ports, after `server.kill()`. */
    async start() {
      portal.server = await startServer(portal.server);
    },
  });
}
