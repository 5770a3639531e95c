# The language of conditions, as docs/conditions.md tells it, written a second time. What is read is wrapped: {"v": value},
# or {} for what is not there. Truth is a text: "true", "false" or "undefined".
package conditions

all_of(truths) := "false" if {
	"false" in truths
} else := "undefined" if {
	"undefined" in truths
} else := "true"

any_of(truths) := "true" if {
	"true" in truths
} else := "undefined" if {
	"undefined" in truths
} else := "false"

negated := {"true": "false", "false": "true", "undefined": "undefined"}

# --- reading ---

nothing := {"not", "there"}

read(object_read, path) := {} if {
	object.get(object_read, path, nothing) == nothing
} else := {"v": object.get(object_read, path, nothing)}

missing({})

missing(a) if a.v == null

# What is fixed goes before what the call gives, and that before what is stored.
layered(fixed, call, stored) := {name: value |
	some name in ((object.keys(fixed) | object.keys(call)) | object.keys(stored))
	value := first(name, fixed, call, stored)
}

first(name, fixed, call, stored) := fixed[name] if {
	name in object.keys(fixed)
} else := call[name] if {
	name in object.keys(call)
} else := stored[name]

# --- sameness and order ---

moment(text) := time.parse_rfc3339_ns(text) if {
	regex.match(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`, text)
}

same_scalar(a, b) if {
	type_name(a) == type_name(b)
	not type_name(a) in {"array", "object"}
	a == b
}

same_scalar(a, b) if {
	is_string(a)
	is_string(b)
	moment(a) == moment(b)
}

# A function may not call itself, so it is spelt out as deep as the models go.
same_flat(a, b) if same_scalar(a, b)

same_flat(a, b) if {
	is_array(a)
	is_array(b)
	count(a) == count(b)
	every at, item in a { same_scalar(item, b[at]) }
}

same_flat(a, b) if {
	is_object(a)
	is_object(b)
	object.keys(a) == object.keys(b)
	every name, value in a { same_scalar(value, b[name]) }
}

same(a, b) if same_flat(a, b)

same(a, b) if {
	is_array(a)
	is_array(b)
	count(a) == count(b)
	every at, item in a { same_flat(item, b[at]) }
}

same(a, b) if {
	is_object(a)
	is_object(b)
	object.keys(a) == object.keys(b)
	every name, value in a { same_flat(value, b[name]) }
}

sign(a, b) := -1 if {
	a < b
} else := 0 if {
	a == b
} else := 1

# Defined for two numbers, two times, and two texts of which neither is a time.
order(a, b) := sign(a, b) if {
	is_number(a)
	is_number(b)
}

order(a, b) := sign(moment(a), moment(b)) if {
	is_string(a)
	is_string(b)
}

order(a, b) := sign(a, b) if {
	is_string(a)
	is_string(b)
	not moment(a)
	not moment(b)
}

# --- operators ---

comparable(a, b) if {
	not missing(a)
	not missing(b)
	type_name(a.v) == type_name(b.v)
}

asks_for_null(a) := "undefined" if {
	a == {}
} else := "true" if {
	a.v == null
} else := "false"

equals(a, b) := "undefined" if {
	not comparable(a, b)
} else := "true" if {
	same(a.v, b.v)
} else := "false"

orderable(a, b) if order(a.v, b.v) in {-1, 0, 1}

ordered(a, b, admitted) := "undefined" if {
	not orderable(a, b)
} else := "true" if {
	order(a.v, b.v) in admitted
} else := "false"

less_than(a, b) := ordered(a, b, {-1})

less_than_equals(a, b) := ordered(a, b, {-1, 0})

greater_than(a, b) := ordered(a, b, {1})

greater_than_equals(a, b) := ordered(a, b, {0, 1})

between(a, low, high) := all_of([greater_than_equals(a, low), less_than_equals(a, high)])

contains_text(a, b) := "undefined" if {
	not two_texts(a, b)
} else := "true" if {
	contains(a.v, b.v)
} else := "false"

two_texts(a, b) if {
	is_string(a.v)
	is_string(b.v)
	b.v != ""
}

is_list(a) if is_array(a.v)

has(list, item) := "false" if {
	count(list) == 0
} else := "undefined" if {
	not type_name(item) in {type_name(other) | some other in list}
} else := "true" if {
	some other in list
	same(other, item)
} else := "false"

is_in(a, list) := "undefined" if {
	missing(a)
} else := "undefined" if {
	not is_list(list)
} else := has(list.v, a.v)

array_contains(a, b) := "undefined" if {
	not is_list(a)
} else := "undefined" if {
	missing(b)
} else := has(a.v, b.v)

two_lists(a, b) if {
	is_list(a)
	is_list(b)
}

array_subset(a, list) := "undefined" if {
	not two_lists(a, list)
} else := all_of([has(list.v, item) | some item in a.v])

array_superset(a, list) := "undefined" if {
	not two_lists(a, list)
} else := all_of([has(a.v, item) | some item in list.v])

array_intersect(a, list) := "undefined" if {
	not two_lists(a, list)
} else := any_of([has(list.v, item) | some item in a.v])
