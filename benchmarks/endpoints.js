// The requests and the checks of endpoints.py, as k6 has them.
import { check } from "k6";
import exec from "k6/execution";
import http from "k6/http";

export const options = {
  scenarios: {
    all: {
      executor: "shared-iterations",
      vus: Number(__ENV.USERS),
      iterations: Number(__ENV.CHECKS),
    },
  },
};

export default function () {
  const answer = http.get(`${__ENV.URL}/items/${exec.scenario.iterationInTest}`);
  const found = answer.json();
  check(answer, {
    status: () => answer.status === 200,
    type: () => answer.headers["Content-Type"].includes("application/json"),
    body: () =>
      found.status === "ok" &&
      typeof found.messages.total === "number" &&
      found.messages.sessions >= 1 &&
      found.days.length === 8,
  });
}

export function handleSummary({ metrics, state }) {
  const passed = metrics.checks.values.passes;
  return { stdout: JSON.stringify({ passed, milliseconds: state.testRunDurationMs }) };
}
