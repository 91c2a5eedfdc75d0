"""What the embedded service does where Amazon's documentation is silent or contradicts itself: the one list of it.

python -m personalize_nb.local.choices    prints it
"""

from __future__ import annotations

from personalize_nb.local.personalize import storage_choices
from personalize_nb.local.personalize.decision import Decision

CHOICES: tuple[Decision, ...] = (
    # requests
    Decision(
        "Texts of refusals that nobody recorded",
        "our own words: what is wrong, the value, what is legal",
        "personalize.operations",
    ),
    Decision("Patterns of the model that are not anchored", "matched in full", "http.shapes"),
    Decision(
        "A repeated name, an unknown ARN, a resource that is not ACTIVE",
        "ResourceAlreadyExistsException, "
        "ResourceNotFoundException, ResourceInUseException, in this order of checks: name, ARNs, values",
        "personalize.operations",
    ),
    Decision(
        "CreateSolutionVersion on a solution that is still being created",
        "accepted: a new solution has nothing to do and cannot fail, and its version trains after it",
        "personalize.operations.solution_versions",
    ),
    Decision(
        "CreateFilter on a group that is not ACTIVE",
        "InvalidInputException; the model lists no ResourceInUse",
        "personalize.operations.filters",
    ),
    Decision(
        "Members left out of a request",
        "stay out of Describe, but for those whose default the guide states "
        "(performAutoTraining, performHPO, importMode, trainingMode, minProvisionedTPS, ingestionMode)",
        "personalize.operations",
    ),
    Decision("Order of List answers", "oldest first", "state.store"),
    Decision(
        "List filtered by an ARN that does not exist",
        "an empty list; ListSolutionVersions, whose model has it: ResourceNotFoundException",
        "personalize.operations",
    ),
    Decision("The largest number of tags", "50, as the guide says; the model's list allows 200", "contract.limits"),
    Decision(
        "How long DELETE PENDING and DELETE IN_PROGRESS last",
        "no time at all: a Delete call answers when the resource is gone. Amazon names no duration, so a client that "
        "is right there waits until Describe answers ResourceNotFoundException, or List no longer has it, and meets "
        "that at its first look; one that does not wait, or asks once, works too. A status in between could only make "
        "clients wait or fail, and leave half-deleted groups behind a crash. The order of deletions, and "
        "ResourceInUseException for what is in use or being made, are as on AWS",
        "personalize.operations",
    ),
    Decision(
        "A second import into a dataset that is being imported",
        "ResourceInUseException",
        "personalize.operations.import_jobs",
    ),
    Decision("A second event tracker or metric attribution in a group", "LimitExceededException", "state.quotas"),
    Decision("Pending exports at once", "5, as imports", "state.quotas"),
    Decision("Names and codes of Personalize's quotas", "this service's own", "personalize.service_quotas"),
    Decision(
        "What the simulator says of the one user, and of a policy whose text is not known here",
        "everything is allowed, as the service lets it; PolicyEvaluation, rather than a guess",
        "iam.simulation",
    ),
    Decision("Popularity-Count's recipeType", "USER_PERSONALIZATION, as its own page says", "contract.recipes"),
    Decision(
        "performAutoTraining, performIncrementalUpdate, performHPO",
        "recorded and shown; nothing starts by itself",
        "personalize.operations.solutions",
    ),
    Decision(
        "The automatic update of the latest User-Personalization version before a batch job",
        "not made: a version never changes, and items put since its training (PutItems) are recommended and explored "
        "from the next solution version on",
        "personalize.operations.solution_versions",
    ),
    Decision(
        "trainingMode UPDATE", "needs an ACTIVE FULL version and trains anew, which here costs seconds", "tasks.tasks"
    ),
    Decision(
        "itemExplorationConfig on a recipe that does not explore",
        "InvalidInputException",
        "personalize.operations.exploration",
    ),
    Decision(
        "rankingInfluence on a recipe that does not read it",
        "accepted, no effect",
        "personalize.operations.batch_inference_jobs",
    ),
    Decision(
        "The largest numResults of a batch job", "none but the catalogue; segments: 5 million", "personalize.operations"
    ),
    Decision(
        "Output path equal to the input path",
        "refused; the same folder is fine",
        "personalize.operations.batch_inference_jobs",
    ),
    # batch files
    Decision("_CHECK", "empty, written before the first result, kept", "tasks.batch"),
    Decision(
        "Output names of inputs in sub-folders",
        "the file name; of equal names, the path below the input's folder",
        "tasks.batch",
    ),
    Decision("Output path without a slash at its end", "a folder all the same", "tasks.batch"),
    Decision("The error key of good rows", "always there, null", "tasks.output_rows"),
    Decision("Reasons of v2 recipes in batch rows", "not written", "tasks.output_rows"),
    Decision("Unknown items in Personalized-Ranking", "at the end, with score 0", "recipes.personalization"),
    Decision(
        "BOM, CRLF, blank lines, duplicate lines", "accepted; a duplicate line is answered twice", "tasks.input_lines"
    ),
    Decision("IDs that are not strings, lines that are no JSON", "an error row for the line", "tasks.input_lines"),
    Decision(
        "Lines that some JSON readers refuse: half of a surrogate pair, more than 100 levels, a whole number of 1,000 "
        "digits or more",
        "an error row, so that every reader can read the output; 100 levels are what Ruby's JSON reads, 1,000 digits "
        "what Java's Jackson reads",
        "tasks.input_lines",
    ),
    Decision(
        "A line that gives a key it is asked for twice", "an error row: neither value is taken", "tasks.input_lines"
    ),
    Decision(
        "The echo of a line that is no JSON object, or that some readers refuse",
        "the line as a JSON string; bytes that are no UTF-8 and halves of surrogate pairs are replaced by U+FFFD",
        "tasks.input_lines",
    ),
    Decision(
        "A byte order mark before a line that is not the first",
        "an error row, as for any other stray character",
        "tasks.input_lines",
    ),
    Decision("Compressed input", "the job fails and names the file", "tasks.batch"),
    Decision(
        "Side files in a folder that is imported or that a batch job reads (_SUCCESS, .crc, .csv.metadata)",
        "no data, for imports, deletions of users and batch jobs alike: names that begin with _ or a dot, at any "
        "depth, as Hadoop's readers have it, and those that end with .metadata; a location that names such a file "
        "takes it. A part without records is fine beside others",
        "tasks.input_files",
    ),
    Decision("Order of output rows", "the input's", "tasks.batch"),
    Decision(
        "Events put after the training, in batch jobs of types USER_PERSONALIZATION and PERSONALIZED_RANKING",
        "all that came before the job begins count, also those of new users, as in real time; AWS leaves out the last "
        "15 minutes, here everything takes seconds",
        "tasks.tasks",
    ),
    Decision(
        "An item that no dataset knows in a segment job, attributes that no item has", "an error row", "tasks.segments"
    ),
    Decision(
        "Users who met an item already, in its segment",
        "count, as often as people come back to items",
        "recipes.segmentation",
    ),
    Decision(
        "Filters of segment jobs",
        "see all rows; the segments are made of FULL imports only, as on AWS",
        "tasks.task_data",
    ),
    Decision(
        "Trending-Now between trainings",
        "the trends of the training; Amazon refreshes them by itself",
        "recipes.trending",
    ),
    Decision(
        "Which items a training considers where there are more than the quota",
        "those with the most interactions, then the newest by CREATION_TIMESTAMP, then the first by ID; the others are "
        "not recommended. Of interactions the newest count, before event filters, as Amazon has said",
        "data.training_limits",
    ),
    Decision(
        "More event types and metadata columns than 10 together",
        "the import fails and names them; event types that are only streamed do not count",
        "data.datasets",
    ),
    # filters
    Decision("AND and OR together, parentheses", "AND binds tighter; parentheses are refused", "filters"),
    Decision(
        "The history of a user for whom no interactions were imported for three months",
        "counts in filters as before, though the guide says that AWS's filters no longer consider it until the whole "
        "history is imported again. The guide's clock is the import, not the event, so old sample data would count "
        "either way; but the clock here cannot be moved, so nobody could try the rule, and who comes back to a folder "
        "after three months would only find that an unread-filter lets read items through, without a word. "
        "pnb.preflight warns of it instead, here and on AWS, where nothing else does",
        "filters",
    ),
    Decision("A clause whose IF is false", "is skipped for that user", "filters"),
    Decision("Missing values", "are in no list and compare with nothing, so NOT IN and != let them pass", "filters"),
    Decision('= with strings, quoted placeholders, "*" in quotes', "accepted", "filters"),
    Decision(
        "A filter whose dataset was deleted",
        "stays; batch jobs that use it fail and real-time requests are refused with InvalidInputException, naming the "
        "dataset type, until the group has such a dataset again",
        "filters",
    ),
    Decision(
        "A request without userId and a filter on interactions or the current user",
        "InvalidInputException: for who is not named, such a filter would let everything through",
        "personalize.serving.recommendations",
    ),
    Decision("Interactions.EVENT_TYPE on UserID", "users with such an event, with whatever item", "filters.users"),
    # data
    Decision("An item or user both imported and put", "the put row is the newer one", "data.datasets"),
    Decision(
        "Cells of numeric metadata that are no number (empty without null in the type, 2006–2007, inf, too large)",
        "missing values of items and users; the import ends ACTIVE, and the log counts them and names lines, for "
        "want of a member in DescribeDatasetImportJob. Evidence: three of Amazon's notebooks and its MLOps solution"
        " import such item metadata, and a saved run of it ends ACTIVE. A whole number written 12.0 is 12. IDs, "
        "CREATION_TIMESTAMP, texts, truth values, actions and all columns of interactions stay strict",
        "data.loose_numbers",
    ),
    Decision(
        "A put item or user without a numeric value that its schema wants",
        "refused with InvalidInputException, though an import makes such a cell missing: the caller of PutItems and "
        "PutUsers hears of it at once and can put the record again, while nobody reads what became of it in a log",
        "personalize.serving.events",
    ),
    Decision(
        "Identical events",
        "events that are the same in all columns of the dataset's schema are one event, imported or put: in the "
        "minimum of an import and of a training, in models, filters and exports. The guide says that one is kept, "
        "and not when",
        "data.identical",
    ),
    Decision(
        "Events with the session id null",
        "answered with 200 and ignored, as one report says of AWS: it is what a client writes that has no session. The "
        "log says so; other such words (undefined, None) are session ids like any",
        "personalize.serving.events",
    ),
    Decision(
        "The event-interactions dataset of an event tracker",
        "made with the first tracker of a group, described and deleted by its ARN, in no list; it has no schemaArn,"
        " takes no imports, and stays when the tracker goes. Deleting it deletes the events put so far; later ones "
        "count, and the next tracker makes it again. A group is deleted together with it: no list would tell that "
        "it is in the way",
        "personalize.operations.event_trackers",
    ),
    Decision(
        "TIMESTAMP in milliseconds",
        "imported as the seconds that the guide says it is, some 50,000 years ahead: nobody recorded a refusal, and "
        "Amazon names no latest time. pnb.train divides such numbers and refuses such dates before they are sent",
        "data.csv_files",
    ),
    Decision("Events without user", "belong to the user whom another event of their session names", "data.events"),
    Decision("Events without item", "accepted and not used", "personalize.serving.events"),
    Decision(
        "Names in properties", "the schema's, or those in camel case; others are ignored", "personalize.serving.events"
    ),
    Decision("Name of an exported file", "<path>/<job name>.csv", "tasks.tasks"),
    Decision(
        "Data deletion and trained models",
        "models stay until they are trained again; segments leave the users out",
        "tasks.segments",
    ),
    *storage_choices.CHOICES,
    # real time
    Decision("Context of real-time requests", "accepted, no effect", "personalize.serving.recommendations"),
    Decision(
        "Keys of metadata in real-time answers", "the column names as requested", "personalize.serving.recommendations"
    ),
    Decision(
        "Places of promoted items",
        "by chance that depends on who asks; 20 % without a percentage",
        "personalize.serving.promotions",
    ),
    Decision(
        "What recommenders leave out by themselves, and which need a userId",
        "what the guide's pages of use cases say: items that the user watched (Because you watched X, More like X, "
        "Top picks) or bought (Customers who viewed X also viewed, Recommended for you), by all such events "
        "and not only the 100 newest that filters see, "
        "before the request's filter and in promotions too; a userId for all but Frequently bought together"
        " and Trending now. More like X and Top picks are trained without an Items dataset, which the guide wants "
        "for them",
        "contract.domain_recipes",
    ),
    Decision(
        "A campaign or recommender that is not ACTIVE, asked",
        "InvalidInputException; the model has no other",
        "personalize.serving.recommendations",
    ),
    Decision(
        "Service principals of policies",
        "any name of the right form is kept, but for those nearly called personalize.amazonaws.com or misspelling "
        "amazonaws.com: they are refused",
        "contract.policies.refusals",
    ),
    # models
    Decision(
        "Domain recipes",
        "train their custom siblings on the event type of the use case",
        "personalize.operations.recommenders",
    ),
    Decision(
        "What is an attribute for Item-Attribute-Affinity",
        "a categorical or numeric column of Items that is trained on, but for CREATION_TIMESTAMP; one is enough in "
        "which some value (a part between vertical bars) is that of several items and not of all that have one. "
        "Else CREATE FAILED",
        "recipes.attributes",
    ),
    Decision(
        "A catalogue of one item, users who met one item only",
        "trained; what the hold-out has nobody to ask for is measured as 0",
        "tasks.hold_out",
    ),
    Decision("NDCG's ideal list, coverage, users with one step", "see the module", "tasks.hold_out"),
    Decision("What related-items recipes are asked in the hold-out", "each user's newest item given", "tasks.hold_out"),
    Decision("Hits, recall and coverage of segments", "see the module", "tasks.hold_out"),
)


def main() -> None:
    """Print the list as a Markdown table."""
    print("| where Amazon is silent | what is done here | module |\n|---|---|---|")
    for choice in CHOICES:
        print(f"| {choice.subject} | {choice.choice} | `{choice.where}` |")
