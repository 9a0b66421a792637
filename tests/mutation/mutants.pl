#!/usr/bin/perl
# The list of mutants in mutants/: reads it, checks it against the sources, applies one. Building and
# running is run.sh. The format of the list is explained in CONTRIBUTING.md, "Add a mutant".
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Find qw(find);

my @fields = qw(mutant kind bug in find with survives);
my @kinds = qw(lock order switch flush reference check state count);
my $usage = <<'END';
usage: mutants.pl check [ROOT]          the list is well-formed and fits the sources; prints how many
       mutants.pl list [ROOT]           a line per mutant: id, kind, source
       mutants.pl apply ID [ROOT]       the mutated source
       mutants.pl show ID [ROOT]        the entry
       mutants.pl survives ID [ROOT]    the reason why it may survive; nothing if it must not
       mutants.pl survivors [ROOT]      survivors.md
ROOT is the tree (default: the one this script is in).
END

my $command = shift // '';
my $id = $command =~ /^(apply|show|survives)$/ ? shift : undef;
my $root = shift // dirname($0) . '/../..';
my $folder = "$root/tests/mutation/mutants";
my @errors;

sub slurp {
  my ($path) = @_;
  open my $file, '<', $path or return undef;
  local $/;
  return scalar <$file>;
}

# One file of mutants/ per source: mutants/mm/fork.txt is about src/mm/fork.cpp.
sub read_list {
  my @paths;
  find({wanted => sub { push @paths, $File::Find::name if /\.txt$/ }, no_chdir => 1}, $folder);
  my @mutants;
  for my $path (sort @paths) {
    (my $source = $path) =~ s{^\Q$folder\E/(.*)\.txt$}{src/$1.cpp};
    my ($mutant, $number) = (undef, 0);
    for my $line (split /\n/, slurp($path)) {
      $number++;
      next if $line =~ /^\s*(#|$)/;
      my ($field, $value) = $line =~ /^(\w+)\s*(.*?)\s*$/;
      if (!defined $field || !grep { $_ eq $field } @fields) {
        push @errors, "$path:$number: not one of the fields @fields";
        next;
      }
      if ($field eq 'mutant') {
        $mutant = {source => $source, where => "$path:$number"};
        push @mutants, $mutant;
      }
      if (!$mutant || exists $mutant->{$field}) {
        push @errors, "$path:$number: $field does not belong here";
        next;
      }
      $mutant->{$field} = $value;
    }
  }
  return @mutants;
}

# Any white space of `find` matches any white space of the source, so that clang-format may wrap lines.
sub pattern {
  return join '\s+', map { quotemeta } split ' ', $_[0];
}

# The begin and end of the text that `find` is looked for in: the file, or the functions called `in`.
sub ranges {
  my ($text, $function) = @_;
  return [0, length $text] if !defined $function;
  my @found;
  while ($text =~ /^\w[^\n;]*\b\Q$function\E\([^;{]*\{\n.*?^\}/gms) {
    push @found, [$-[0], $+[0]];
  }
  return @found;
}

# The mutated source, or undef and the reason.
sub apply {
  my ($mutant) = @_;
  my $text = slurp("$root/$mutant->{source}");
  return (undef, "there is no $mutant->{source}") if !defined $text;
  my @ranges = ranges($text, $mutant->{in});
  return (undef, "$mutant->{source} has no function $mutant->{in}") if !@ranges;
  my $pattern = pattern($mutant->{find});
  my @places;
  for my $range (@ranges) {
    pos($text) = $range->[0];
    while ($text =~ /$pattern/g) {
      push @places, [$-[0], $+[0]] if $+[0] <= $range->[1];
    }
  }
  my $count = @places;
  return (undef, "\"$mutant->{find}\" occurs $count times in $mutant->{source}, not once")
    if $count != 1;
  my ($begin, $end) = @{$places[0]};
  return (undef, 'it changes nothing') if substr($text, $begin, $end - $begin) eq $mutant->{with};
  # A statement that goes leaves its semicolon: it may be all there is to an `if`.
  my $with = $mutant->{with} eq '' && $mutant->{find} =~ /;$/ ? ';' : $mutant->{with};
  substr($text, $begin, $end - $begin) = $with;
  return ($text, undef);
}

sub check_entry {
  my ($mutant, $seen) = @_;
  my $name = $mutant->{mutant};
  my $where = "$mutant->{where}: $name";
  push @errors, "$where: an id is lower case with dashes" if $name !~ /^[a-z][a-z0-9-]*$/;
  push @errors, "$where: is twice in the list" if $seen->{$name}++;
  for my $field (qw(kind bug find with)) {
    if (!exists $mutant->{$field}) {
      push @errors, "$where: has no $field";
      return;
    }
  }
  push @errors, "$where: $mutant->{kind} is no kind (@kinds)"
    if !grep { $_ eq $mutant->{kind} } @kinds;
  push @errors, "$where: does not say what it stands for" if length $mutant->{bug} < 10;
  my (undef, $error) = apply($mutant);
  push @errors, "$where: $error" if defined $error;
}

sub finish_if_wrong {
  return if !@errors;
  print STDERR "$_\n" for @errors;
  exit 1;
}

my @mutants = $command =~ /^(check|list|apply|show|survives|survivors)$/ ? read_list() : ();
if ($command eq 'check') {
  my %seen;
  check_entry($_, \%seen) for @mutants;
  push @errors, "$folder has no mutants" if !@mutants;
  finish_if_wrong();
  printf "%d mutants, each fits its source once\n", scalar @mutants;
} elsif ($command eq 'list') {
  finish_if_wrong();
  print "$_->{mutant}\t$_->{kind}\t$_->{source}\n" for @mutants;
} elsif ($command eq 'survivors') {
  finish_if_wrong();
  print "# Mutants that no test notices\n\n",
    "Written by `tests/mutation/mutants.pl survivors` from the `survives` lines of `mutants/`. Each is\n",
    "equivalent to the model as it is, or changes what no outcome can show.\n\n",
    "| mutant | change | why it survives |\n| --- | --- | --- |\n";
  for my $mutant (grep { exists $_->{survives} } @mutants) {
    print "| `$mutant->{mutant}` ($mutant->{source}) | $mutant->{bug} | $mutant->{survives} |\n";
  }
} elsif ($command =~ /^(apply|show|survives)$/ && defined $id) {
  my ($mutant) = grep { $_->{mutant} eq $id } @mutants;
  if (!$mutant) {
    print STDERR "there is no mutant $id\n";
    exit 2;
  }
  if ($command eq 'apply') {
    my ($text, $error) = apply($mutant);
    push @errors, "$id: $error" if defined $error;
    finish_if_wrong();
    print $text;
  } elsif ($command eq 'show') {
    print "source $mutant->{source}\n";
    for my $field (@fields) {
      print "$field $mutant->{$field}\n" if exists $mutant->{$field};
    }
  } elsif (exists $mutant->{survives}) {
    print "$mutant->{survives}\n";
  }
} else {
  print STDERR $usage;
  exit 2;
}
