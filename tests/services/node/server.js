// Greets by name; writes its log as pino does.
const http = require("node:http");

const log = (level, message, more = {}) =>
  console.log(JSON.stringify({ level, time: Date.now(), pid: process.pid, msg: message, ...more }));

const server = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
    response.end(JSON.stringify(body));
  };
  if (pathname === "/health") return answer(200, { status: "ok" });
  if (pathname === "/greeting") {
    return answer(200, { greeting: `${process.env.GREETING ?? "Hello"}, ${searchParams.get("name") ?? "you"}` });
  }
  answer(404, { error: "not found" });
});

const port = Number(process.env.PORT ?? 8080);
server.listen(port, "0.0.0.0", () => log(30, "server listening", { port, error: null }));
process.on("SIGTERM", () => {
  log(30, "closing");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
