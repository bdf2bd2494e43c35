"""What ClickHouse's error codes mean to us.

Only codes known to blame a row or the schema stop being retried: calling an unknown trouble a bad
row would throw good rows away, while retrying keeps them and shows in the writer's health.
"""

import re

from sinks.contract import SinkBusy, SinkError, SinkRefused, SinkUnreachable

AUTHENTICATION_CODES = frozenset(
    {
        192,  # UNKNOWN_USER
        193,  # WRONG_PASSWORD
        194,  # REQUIRED_PASSWORD
        516,  # AUTHENTICATION_FAILED
    }
)

ROW_CODES = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        25,  # CANNOT_PARSE_ESCAPE_SEQUENCE
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        32,  # ATTEMPT_TO_READ_AFTER_EOF: a row cut short
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        130,  # CANNOT_READ_ARRAY_FROM_TEXT
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        376,  # CANNOT_PARSE_UUID
        407,  # DECIMAL_OVERFLOW
        467,  # CANNOT_PARSE_BOOL
        469,  # VIOLATED_CONSTRAINT
        676,  # CANNOT_PARSE_IPV4
        691,  # UNKNOWN_ELEMENT_OF_ENUM
    }
)

REFUSED_CODES = (
    frozenset(
        {
            16,  # NO_SUCH_COLUMN_IN_TABLE
            36,  # BAD_ARGUMENTS
            42,  # NUMBER_OF_ARGUMENTS_DOESNT_MATCH
            43,  # ILLEGAL_TYPE_OF_ARGUMENT
            44,  # ILLEGAL_COLUMN
            46,  # UNKNOWN_FUNCTION
            47,  # UNKNOWN_IDENTIFIER
            48,  # NOT_IMPLEMENTED
            57,  # TABLE_ALREADY_EXISTS
            60,  # UNKNOWN_TABLE
            62,  # SYNTAX_ERROR
            81,  # UNKNOWN_DATABASE
            82,  # DATABASE_ALREADY_EXISTS
            115,  # UNKNOWN_SETTING
            164,  # READONLY
            179,  # MULTIPLE_EXPRESSIONS_FOR_ALIAS
            181,  # ILLEGAL_FINAL
            215,  # NOT_AN_AGGREGATE
            386,  # NO_COMMON_TYPE
            395,  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
            456,  # UNKNOWN_QUERY_PARAMETER
            457,  # BAD_QUERY_PARAMETER
            497,  # ACCESS_DENIED
        }
    )
    | AUTHENTICATION_CODES
)

UNREACHABLE_CODES = frozenset(
    {
        159,  # TIMEOUT_EXCEEDED
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        279,  # ALL_CONNECTION_TRIES_FAILED
    }
)

RETRY_SECONDS_OF_CODE = {
    202: 1.0,  # TOO_MANY_SIMULTANEOUS_QUERIES
    241: 2.0,  # MEMORY_LIMIT_EXCEEDED
    243: 15.0,  # NOT_ENOUGH_SPACE
    252: 5.0,  # TOO_MANY_PARTS: merges need time
}

_NOISE = re.compile(
    r": \(in file/uri [^)]*\)"  # the driver's temporary file
    r"|: While executing [^.]*?(?=: data for INSERT| \(|\. \(|$)"
    r"|: data for INSERT was parsed from file"
    r"|\s*\(version [^()]*(\([^()]*\))?\)"
    r"|\s*\(for url [^)]*\)"
)


def plain_text(message: str) -> str:
    """What ClickHouse says, in one line and without what only its developers need."""
    text = message.rsplit("DB::Exception: ", 1)[-1]
    return " ".join(_NOISE.sub("", text).split()).replace(" . (", " (").removesuffix(".")


def sink_error(code: int | None, message: str) -> SinkError:
    """The error of our tree that a failed statement means."""
    text = plain_text(message)
    if code is None or code in UNREACHABLE_CODES:
        return SinkUnreachable(text)
    if code in ROW_CODES:
        return SinkRefused(text, rows_at_fault=True)
    if code in REFUSED_CODES:
        return SinkRefused(text)
    return SinkBusy(text, RETRY_SECONDS_OF_CODE.get(code, 1.0))
