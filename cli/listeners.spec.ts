import { listeners } from './listeners.js';

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 5001 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0BB8 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 5002 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:0BB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000     7        0 5003 1 0000000000000000 100 0 0 10 0
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 5004 1 0000000000000000 100 0 0 10 0
`;
const read = (path: string): string => (path.endsWith('6') ? TCP6 : TCP);

describe('who listens at a port', () => {
  it('is told of each address, and of no connection', () => {
    expect(listeners(3000, read)).toEqual([1000, 1001]);
    expect(listeners(3001, read)).toEqual([7]);
  });

  it('is nobody where nobody does, or none can tell', () => {
    expect(listeners(80, read)).toEqual([]);
    expect(listeners(3000, () => '')).toEqual([]);
  });
});
