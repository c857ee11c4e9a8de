import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// In development the portal talks to a server that runs beside it: the mock (npm run mock) or a real one.
const server = process.env.FLOWMEND_SERVER ?? "http://127.0.0.1:8099";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    // The server compresses and embeds what is here; source maps would only make the binary larger.
    sourcemap: false,
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      output: {
        // What every page needs changes rarely and is kept apart from pages, so that an update costs few bytes.
        manualChunks: (id) => (/node_modules\/(react|react-dom|scheduler)\//.test(id) ? "react" : undefined),
      },
    },
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": server, "/providers": server, "/workflows": server, "/healthz": server },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
