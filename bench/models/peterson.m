-- Peterson's mutual exclusion for N processes, for Rumur: the same states and steps as
-- tests/explore/models/peterson.hpp, without an offset. A rule is one step. l and k are 1 and 0
-- where they are not needed.

const
  N: 5;

type
  Process: 0 .. N - 1;
  Where: enum { SET, CLAIM, WAIT, INSIDE };

var
  at: array [Process] of Where;
  l: array [Process] of 1 .. N - 1;
  k: array [Process] of Process;
  level: array [Process] of 0 .. N - 1;  -- 0: not interested
  last: array [1 .. N - 1] of Process;   -- of each level

startstate
begin
  for me: Process do
    at[me] := SET;
    l[me] := 1;
    k[me] := 0;
    level[me] := 0;
  end;
  for i: 1 .. N - 1 do
    last[i] := 0;
  end;
end;

-- The process after `other` that is not `me`; N and more: there is none.
function next(me: Process; other: Process): 0 .. N + 1;
begin
  if other + 1 = me then
    return other + 2;
  end;
  return other + 1;
end;

ruleset me: Process do

  rule "set"
    at[me] = SET
  ==>
  begin
    level[me] := l[me];
    at[me] := CLAIM;
  end;

  rule "claim"
    at[me] = CLAIM
  ==>
  begin
    last[l[me]] := me;
    if me = 0 then
      k[me] := 1;
    else
      k[me] := 0;
    end;
    at[me] := WAIT;
  end;

  rule "passed"
    at[me] = WAIT & (level[k[me]] < l[me] | last[l[me]] != me)
  ==>
  begin
    if next(me, k[me]) < N then
      k[me] := next(me, k[me]);
    else
      k[me] := 0;
      if l[me] < N - 1 then
        l[me] := l[me] + 1;
        at[me] := SET;
      else
        at[me] := INSIDE;
      end;
    end;
  end;

  rule "leave"
    at[me] = INSIDE
  ==>
  begin
    level[me] := 0;
    l[me] := 1;
    at[me] := SET;
  end;

end;

invariant "mutual exclusion"
  forall me: Process do
    forall other: Process do
      me = other | at[me] != INSIDE | at[other] != INSIDE
    end
  end;
