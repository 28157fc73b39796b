import { FakeClock } from '../test/fakes/fake-clock.js';
import { FakeWebSocket } from '../test/fakes/fake-web-socket.js';
import { Silence } from './silence.js';

function watched(): { socket: FakeWebSocket; clock: FakeClock; told: boolean[] } {
  const [socket, clock, told] = [new FakeWebSocket(), new FakeClock(), [] as boolean[]];
  new Silence(clock, (isSilent) => told.push(isSilent)).watch(socket);
  socket.open();
  return { socket, clock, told };
}

const question = JSON.stringify({ type: 'attach', requestId: 'a1', sessionId: 's1' });

describe('silence', () => {
  it('is when nothing comes for five seconds though something is to be answered', () => {
    const { socket, clock, told } = watched();
    socket.send(question);
    clock.advance(3000);
    // The first that waits counts.
    socket.send(question);
    clock.advance(1999);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual([true]);
    expect(socket.sent('attach')).toHaveLength(2);
    socket.receive({ type: 'attached' });
    expect(told).toEqual([true, false]);
    expect(clock.timers).toBe(0);
  });

  it('is not while anything comes, nor where nothing is asked', () => {
    const { socket, clock, told } = watched();
    socket.send(question);
    clock.advance(4000);
    socket.receive({ type: 'output' });
    clock.advance(60_000);
    socket.send(JSON.stringify({ type: 'acknowledge', sessionId: 's1', offset: 1 }));
    clock.advance(60_000);
    expect(told).toEqual([]);
  });

  it('ends with the connection', () => {
    const { socket, clock, told } = watched();
    socket.send(question);
    clock.advance(5000);
    socket.drop();
    expect(told).toEqual([true, false]);
    expect(clock.timers).toBe(0);
  });
});
