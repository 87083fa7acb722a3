"""Messages about the decision to answer a message or not, and about staying out."""

STAYING_OUT = (
    "I'll stay out of this thread and answer only where I am mentioned. “come back” "
    "lets me in again."
)
BACK = "I'm back in this thread."
BACK_FOR_MENTIONS = "I'm back, but the settings here let me answer only mentions."

#: The reply to `why` if there is no earlier decision in the thread.
NOTHING_DECIDED = (
    "There is no earlier message here that I could explain. I read a thread from the "
    "first mention of me."
)

#: The beginning of the reply to `why`; the value is a person. "That message" is the one
#: that `why` replies to.
ANSWERED, NOT_ANSWERED = (
    "I answered {}'s last message.",
    "I did not answer {}'s last message.",
)
ANSWERED_THAT, NOT_ANSWERED_THAT = (
    "I answered that message of {}.",
    "I did not answer that message of {}.",
)
#: The end of the reply to `why` if a mention would have led to an answer.
MENTION_ME = "To get an answer, mention me in a message, or edit yours so that it does."

# The rules. Values are people, groups or names of places.
EVERYBODY = "everybody"
SOMEBODY_ELSE = "somebody else"
IT_MENTIONS_ME = "It mentions me, replies to me or was sent to me directly."
IT_FOLLOWS_UP = (
    "It follows up in my thread, and nothing says that it is for somebody else."
)
IT_FOLLOWS_UP_ALL = "This thread is set to have everything answered."
IT_MENTIONS_OTHERS_FIRST = "It mentions {} first."
IT_ANSWERS_SOMEBODY = "It replies to, or forwards, a message of {}."
IT_IS_THANKS = "It is only thanks."
IT_IS_EMOJI = "It is only emoji."
SENT_AWAY = "{} asked me to stay out of this thread, so I answer only mentions."
ONLY_MENTIONS = "`follow` is set to `mention` for {}, so I answer only mentions."
QUIET = "`quiet` is on here, so I answer only mentions."
NOT_MY_THREAD = "This thread did not begin with a message to me."
OF_A_PROGRAM = "Another program wrote it, and `bots` is off or it does not mention me."
OF_TOO_MANY_PROGRAMS = "Other programs wrote too much here within a minute."
OF_A_PROGRAM_ANSWERED = "`bots` is on here, and another program mentioned me."
TOO_OLD = "It reached me too late."
MENTION_REMOVED = "An edit removed the mention of me before I began."
