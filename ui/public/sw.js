// The portal's service worker: shows messages about incidents, and opens their page when one is chosen. It keeps no
// copies of the portal: what is shown is always what the server has.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let message = {};
  try {
    message = event.data.json();
  } catch {
    // A browser may wake us without content: say at least that there is something.
  }
  event.waitUntil(
    self.registration.showNotification(message.title ?? "Flowmend", {
      body: message.body ?? "Something needs you.",
      tag: message.tag,
      renotify: message.tag !== undefined,
      icon: "/icon-192.png",
      data: { url: message.url ?? "/" },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  // Only pages of the portal itself.
  const target = new URL(event.notification.data?.url ?? "/", self.location.origin);
  if (target.origin !== self.location.origin) return;
  event.waitUntil(
    (async () => {
      const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
      for (const one of windows) {
        if (!("navigate" in one)) continue;
        await one.focus();
        return one.navigate(target.href);
      }
      return self.clients.openWindow(target.href);
    })(),
  );
});
