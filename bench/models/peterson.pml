/* Peterson's mutual exclusion for N processes, for SPIN: the same states and steps as
 * tests/explore/models/peterson.hpp, without an offset. A d_step is one step; the control location
 * is the model's `at`, and a break after a d_step is none of its own. l and k are 1 and 0 where they
 * are not needed.
 */
#ifndef N
#define N 5
#endif

#define PASSED (level[k] < l || last[l] != _pid)
#define NEXT (k + 1 == _pid -> k + 2 : k + 1)

byte level[N];  /* of each process; 0: not interested */
byte last[N];   /* of each level 1 .. N-1: who came last; entry 0 is not used */
byte inside;    /* who is inside says as much: no states of its own */

active [N] proctype process() {
  byte l = 1;
  byte k = 0;
  do
  :: d_step { level[_pid] = l };
     d_step { last[l] = _pid; k = (_pid == 0 -> 1 : 0) };
     do
     :: d_step { PASSED && NEXT < N -> k = NEXT }
     :: d_step { PASSED && NEXT >= N && l < N - 1 -> k = 0; l++ }; break
     :: d_step { PASSED && NEXT >= N && l == N - 1 -> k = 0; inside++; assert(inside == 1) };
        d_step { level[_pid] = 0; l = 1; inside-- };
        break
     od
  od
}
