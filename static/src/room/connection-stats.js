// Loss, delay and rate of the two connections of a room since the last reading.
//
//   const reader = new StatsReader();
//   await reader.read(sendingConnection, receivingConnection);
//   // → { lossUp, lossDown, rttMs, kbpsUp, kbpsDown }   null where nothing is known yet

const PERCENT = 100;

async function reportsOf(connection) {
  return connection ? [...(await connection.getStats()).values()] : [];
}

const sum = (reports, type, field) =>
  reports.filter((report) => report.type === type).reduce((total, report) => total + (report[field] ?? 0), 0);

function worst(reports, type, field) {
  const values = reports.filter((report) => report.type === type && report[field] !== undefined).map((report) => report[field]);
  return values.length ? Math.max(...values) : null;
}

export class StatsReader {
  #last = null;

  async read(sending, receiving) {
    const [up, down] = await Promise.all([reportsOf(sending), reportsOf(receiving)]);
    const now = {
      at: performance.now(),
      bytesUp: sum(up, "outbound-rtp", "bytesSent"),
      bytesDown: sum(down, "inbound-rtp", "bytesReceived"),
      lostDown: sum(down, "inbound-rtp", "packetsLost"),
      gotDown: sum(down, "inbound-rtp", "packetsReceived"),
    };
    const last = this.#last;
    this.#last = now;
    const lossUp = worst(up, "remote-inbound-rtp", "fractionLost");
    const roundTrip = worst(up, "remote-inbound-rtp", "roundTripTime") ?? worst(down, "candidate-pair", "currentRoundTripTime");
    return {
      lossUp: lossUp === null ? null : lossUp * PERCENT,
      lossDown: last ? lossBetween(last, now) : null,
      rttMs: roundTrip === null ? null : roundTrip * 1000,
      kbpsUp: last ? rate(last, now, "bytesUp") : null,
      kbpsDown: last ? rate(last, now, "bytesDown") : null,
    };
  }
}

function lossBetween(last, now) {
  const lost = Math.max(0, now.lostDown - last.lostDown);
  const got = Math.max(0, now.gotDown - last.gotDown);
  return lost + got ? (lost / (lost + got)) * PERCENT : 0;
}

function rate(last, now, field) {
  return Math.max(0, ((now[field] - last[field]) * 8) / (now.at - last.at));
}
