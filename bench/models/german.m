-- German's cache coherence protocol with data values, for Rumur: the same states and rules as
-- tests/explore/models/german.hpp. Two start states, one for each initial value of memory: Rumur
-- counts one state less than german.hpp and german.pml, which begin before that choice. A rule is
-- one step. The data are 0 where they are undefined; the client is 0 or the cache and 1.

const
  N: 4;

type
  Cache: 1 .. N;
  Client: 0 .. N;
  Datum: 0 .. 2;
  Line: enum { INVALID, SHARED, EXCLUSIVE };
  Request: enum { NOTHING, ASK_SHARED, ASK_EXCLUSIVE };
  Reply: enum { EMPTY, INVALIDATE, GRANT_SHARED, GRANT_EXCLUSIVE };

var
  line: array [Cache] of Line;
  line_data: array [Cache] of Datum;
  request: array [Cache] of Request;      -- channel 1
  reply: array [Cache] of Reply;          -- channel 2
  reply_data: array [Cache] of Datum;
  ack: array [Cache] of boolean;          -- channel 3
  ack_data: array [Cache] of Datum;
  sharer: array [Cache] of boolean;
  to_invalidate: array [Cache] of boolean;
  granted: boolean;
  command: Request;
  client: Client;
  memory: Datum;
  latest: Datum;

ruleset value: 1 .. 2 do
  startstate
  begin
    for i: Cache do
      line[i] := INVALID;
      line_data[i] := 0;
      request[i] := NOTHING;
      reply[i] := EMPTY;
      reply_data[i] := 0;
      ack[i] := false;
      ack_data[i] := 0;
      sharer[i] := false;
      to_invalidate[i] := false;
    end;
    granted := false;
    command := NOTHING;
    client := 0;
    memory := value;
    latest := value;
  end;
end;

ruleset i: Cache; value: 1 .. 2 do
  rule "Store"
    line[i] = EXCLUSIVE
  ==>
  begin
    line_data[i] := value;
    latest := value;
  end;
end;

ruleset i: Cache do

  rule "SendReqS"
    request[i] = NOTHING & line[i] = INVALID
  ==>
  begin
    request[i] := ASK_SHARED;
  end;

  rule "SendReqE"
    request[i] = NOTHING & line[i] != EXCLUSIVE
  ==>
  begin
    request[i] := ASK_EXCLUSIVE;
  end;

  -- RecvReqS and RecvReqE.
  rule "RecvReq"
    command = NOTHING & request[i] != NOTHING
  ==>
  begin
    command := request[i];
    client := i;
    request[i] := NOTHING;
    for k: Cache do
      to_invalidate[k] := sharer[k];
    end;
  end;

  rule "SendInv"
    reply[i] = EMPTY & to_invalidate[i] &
    (command = ASK_EXCLUSIVE | (command = ASK_SHARED & granted))
  ==>
  begin
    reply[i] := INVALIDATE;
    to_invalidate[i] := false;
  end;

  rule "SendInvAck"
    reply[i] = INVALIDATE & !ack[i]
  ==>
  begin
    reply[i] := EMPTY;
    ack[i] := true;
    if line[i] = EXCLUSIVE then
      ack_data[i] := line_data[i];
    end;
    line[i] := INVALID;
    line_data[i] := 0;
  end;

  rule "RecvInvAck"
    ack[i] & command != NOTHING
  ==>
  begin
    ack[i] := false;
    sharer[i] := false;
    if granted then
      granted := false;
      memory := ack_data[i];
      ack_data[i] := 0;
    end;
  end;

  rule "SendGntS"
    command = ASK_SHARED & client = i & reply[i] = EMPTY & !granted
  ==>
  begin
    reply[i] := GRANT_SHARED;
    reply_data[i] := memory;
    sharer[i] := true;
    command := NOTHING;
    client := 0;
  end;

  rule "SendGntE"
    command = ASK_EXCLUSIVE & client = i & reply[i] = EMPTY & !granted &
    forall k: Cache do !sharer[k] end
  ==>
  begin
    reply[i] := GRANT_EXCLUSIVE;
    reply_data[i] := memory;
    sharer[i] := true;
    granted := true;
    command := NOTHING;
    client := 0;
  end;

  rule "RecvGntS"
    reply[i] = GRANT_SHARED
  ==>
  begin
    line[i] := SHARED;
    line_data[i] := reply_data[i];
    reply[i] := EMPTY;
    reply_data[i] := 0;
  end;

  rule "RecvGntE"
    reply[i] = GRANT_EXCLUSIVE
  ==>
  begin
    line[i] := EXCLUSIVE;
    line_data[i] := reply_data[i];
    reply[i] := EMPTY;
    reply_data[i] := 0;
  end;

end;

invariant "CntrlProp"
  forall i: Cache do
    forall k: Cache do
      i = k | line[i] != EXCLUSIVE | line[k] = INVALID
    end
  end;

invariant "DataProp"
  (granted | memory = latest) &
  forall i: Cache do line[i] = INVALID | line_data[i] = latest end;
