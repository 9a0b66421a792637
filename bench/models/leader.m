-- Leader election in a unidirectional ring of N processes (Dolev, Klawe and Rodeh, 1982), for Rumur:
-- the same states and steps as tests/explore/models/leader.hpp, which says how it works, without an
-- offset. A rule is one step. A channel is an array, the oldest message first; its end is zeros.

const
  N: 10;
  CAPACITY: 5;

type
  Process: 0 .. N - 1;
  Number: 0 .. N;
  Phase: enum { ASLEEP, ACTIVE, RELAY, FOLLOWER, LEADER };
  Kind: enum { NOTHING, ONE, TWO, WINNER };
  Message: record
    kind: Kind;
    number: Number;
  end;
  Member: record
    phase: Phase;
    maximum: Number;
    before: Number;
    knows: boolean;
    pending: Message;
    channel: array [0 .. CAPACITY - 1] of Message;  -- that leads to it
  end;

var
  ring: array [Process] of Member;

function number_of(me: Process): Number;
begin
  if me % 2 = 0 then
    return me / 2 + 1;
  end;
  return me / 2 + 1 + (N + 1) / 2;
end;

procedure say(me: Process; kind: Kind; number: Number);
begin
  ring[me].pending.kind := kind;
  ring[me].pending.number := number;
end;

procedure forget(me: Process);
begin
  ring[me].maximum := 0;
  ring[me].before := 0;
end;

-- What an active process does with a number.
procedure compare(me: Process; kind: Kind; number: Number);
begin
  if kind = ONE then
    if number = ring[me].maximum then
      ring[me].knows := true;
      say(me, WINNER, number);
    else
      ring[me].before := number;
      say(me, TWO, number);
    end;
  elsif ring[me].before > number & ring[me].before > ring[me].maximum then
    ring[me].maximum := ring[me].before;
    say(me, ONE, ring[me].before);
    ring[me].before := 0;
  else
    ring[me].phase := RELAY;
    forget(me);
  end;
end;

procedure act(me: Process; kind: Kind; number: Number);
begin
  if kind = WINNER then
    if !ring[me].knows then
      say(me, WINNER, number);
    end;
    if number = number_of(me) then
      ring[me].phase := LEADER;
    else
      ring[me].phase := FOLLOWER;
    end;
    forget(me);
  elsif ring[me].phase = RELAY then
    say(me, kind, number);
  else
    compare(me, kind, number);
  end;
end;

-- The oldest message leaves the channel.
procedure take(me: Process);
begin
  for i: 0 .. CAPACITY - 2 do
    ring[me].channel[i].kind := ring[me].channel[i + 1].kind;
    ring[me].channel[i].number := ring[me].channel[i + 1].number;
  end;
  ring[me].channel[CAPACITY - 1].kind := NOTHING;
  ring[me].channel[CAPACITY - 1].number := 0;
end;

procedure deliver(target: Process; kind: Kind; number: Number);
var
  sent: boolean;
begin
  sent := false;
  for i: 0 .. CAPACITY - 1 do
    if !sent & ring[target].channel[i].kind = NOTHING then
      ring[target].channel[i].kind := kind;
      ring[target].channel[i].number := number;
      sent := true;
    end;
  end;
  assert "room in the channel" sent;
end;

startstate
begin
  for me: Process do
    ring[me].phase := ASLEEP;
    ring[me].knows := false;
    forget(me);
    say(me, NOTHING, 0);
    for i: 0 .. CAPACITY - 1 do
      ring[me].channel[i].kind := NOTHING;
      ring[me].channel[i].number := 0;
    end;
  end;
end;

ruleset me: Process do

  rule "wake up"
    ring[me].pending.kind = NOTHING & ring[me].phase = ASLEEP
  ==>
  begin
    ring[me].phase := ACTIVE;
    ring[me].maximum := number_of(me);
    say(me, ONE, number_of(me));
  end;

  rule "send"
    ring[me].pending.kind != NOTHING
  ==>
  begin
    deliver((me + 1) % N, ring[me].pending.kind, ring[me].pending.number);
    say(me, NOTHING, 0);
  end;

  rule "receive"
    ring[me].pending.kind = NOTHING & (ring[me].phase = ACTIVE | ring[me].phase = RELAY) &
    ring[me].channel[0].kind != NOTHING
  ==>
  var
    kind: Kind;
    number: Number;
  begin
    kind := ring[me].channel[0].kind;
    number := ring[me].channel[0].number;
    take(me);
    act(me, kind, number);
  end;

end;

invariant "at most one leader"
  forall me: Process do
    forall other: Process do
      me = other | ring[me].phase != LEADER | ring[other].phase != LEADER
    end
  end;
