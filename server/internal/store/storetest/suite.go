// Package storetest is the contract of every storage engine, as tests that read
// like promises.
//
// An engine passes all of it: the package refuses to let one pick.
package storetest

import (
	"context"
	"testing"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/console"
	"gridsync/server/internal/dayclose"
	"gridsync/server/internal/desk"
	"gridsync/server/internal/enrol"
	"gridsync/server/internal/exchange"
	"gridsync/server/internal/fieldwork"
	"gridsync/server/internal/formbook"
	"gridsync/server/internal/hook"
	"gridsync/server/internal/intake"
	"gridsync/server/internal/proof"
	"gridsync/server/internal/registry"
	"gridsync/server/internal/rollup"
	"gridsync/server/internal/roster"
	"gridsync/syncproto"
)

// Engine is everything that the services ask of a store.
type Engine interface {
	exchange.Store
	registry.Store
	desk.Store
	rollup.Store
	proof.Store
	roster.Store
	audit.Store
	console.Store
	enrol.Store
	intake.Store
	formbook.Store
	dayclose.Store
	hook.Store
	fieldwork.Store
	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
	// NewEpoch starts a new history, whose numbers lie beyond all that the lost end
	// of the old one can have given out.
	NewEpoch(ctx context.Context, epoch syncproto.Epoch) error
	// Close ends the handle; the data stays.
	Close() error
}

// Place is where one database lives. Each call opens a handle of its own on the
// same data, as another process would.
type Place func(t *testing.T) Engine

// Run holds an engine against the contract. place makes a new, empty place.
func Run(t *testing.T, place func(t *testing.T) Place) {
	for _, promise := range promises {
		t.Run(promise.name, func(t *testing.T) {
			open := place(t)
			w := &world{t: t, open: open, Engine: open(t)}
			t.Cleanup(func() { w.close() })
			promise.keep(w)
		})
	}
}

// promises is the contract.
var promises = []struct {
	name string
	keep func(*world)
}{
	{"ANewDatabaseIsEmpty", aNewDatabaseIsEmpty},
	{"EmptyBatchesAreFine", emptyBatchesAreFine},
	{"PingTellsWhetherItAnswers", pingTellsWhetherItAnswers},

	{"ChangesComeBackByteForByte", changesComeBackByteForByte},
	{"PriorFindsWhatThatDeviceSent", priorFindsWhatThatDeviceSent},
	{"ANumberIsUsedOnce", aNumberIsUsedOnce},
	{"LogsComeInOrder", logsComeInOrder},
	{"VersionsHaveTheirMoment", versionsHaveTheirMoment},
	{"ParkedComeOldestFirst", parkedComeOldestFirst},
	{"ReleasedChangesStopWaiting", releasedChangesStopWaiting},
	{"AReasonCanChange", aReasonCanChange},

	{"AFailedGroupLeavesNothing", aFailedGroupLeavesNothing},
	{"APanickingGroupLeavesNothing", aPanickingGroupLeavesNothing},
	{"GroupsNeverOverlap", groupsNeverOverlap},
	{"ACallerWhoLeavesDoesNotBreakTheGroup", aCallerWhoLeavesDoesNotBreakTheGroup},
	{"ACallerWhoLeavesInTheQueueWritesNothing", aCallerWhoLeavesInTheQueueWritesNothing},
	{"ReadersSeeWholeGroups", readersSeeWholeGroups},
	{"AGroupSeesWhatItSaved", aGroupSeesWhatItSaved},

	{"ASoleRecordReadsLikeAnyOther", aSoleRecordReadsLikeAnyOther},
	{"EveryLivePartIsKept", everyLivePartIsKept},
	{"RecordsAreFoundByTheThousand", recordsAreFoundByTheThousand},
	{"AWaitingRecordIsNotThere", aWaitingRecordIsNotThere},

	{"PagesComeInOrderOfVersions", pagesComeInOrderOfVersions},
	{"PagesAreBoundedByRows", pagesAreBoundedByRows},
	{"PagesAreBoundedByBytes", pagesAreBoundedByBytes},
	{"AMovedRecordGoesFromOneFeedToAnother", aMovedRecordGoesFromOneFeedToAnother},
	{"GoneRowsComeInOrder", goneRowsComeInOrder},
	{"NoPageStepsOverARow", noPageStepsOverARow},
	{"CursorNeverSkipsALateCommit", cursorNeverSkipsALateCommit},

	{"CountersSumOverDays", countersSumOverDays},
	{"CountersMoveBothWays", countersMoveBothWays},
	{"SumsReachDownTheTreeAndOverTheDays", sumsReachDownTheTreeAndOverTheDays},
	{"SumsFollowTheTree", sumsFollowTheTree},
	{"WhoBelongedToAnAreaIsRemembered", whoBelongedToAnAreaIsRemembered},
	{"SightingsComeAndGo", sightingsComeAndGo},
	{"OnlyInNamesEachPersonOnce", onlyInNamesEachPersonOnce},
	{"WhoeverIsOneIsMetOnce", whoeverIsOneIsMetOnce},
	{"TracesComeAndGo", tracesComeAndGo},
	{"AHouseholdCountsByItsBestVisit", aHouseholdCountsByItsBestVisit},
	{"HouseholdsInACircleAreTheLeastOfThem", householdsInACircleAreTheLeastOfThem},
	{"HouseholdsOfARoundComePageByPage", householdsOfARoundComePageByPage},
	{"WhatIsVisitedAndNotThereIsCounted", whatIsVisitedAndNotThereIsCounted},
	{"ReferencesAreFoundByTheirTarget", referencesAreFoundByTheirTarget},
	{"TheLogIsCutByTime", theLogIsCutByTime},
	{"DevicesAreKeptWhole", devicesAreKeptWhole},
	{"DevicesAreFoundByTheHundred", devicesAreFoundByTheHundred},
	{"ContactsTellClocksAndBacklog", contactsTellClocksAndBacklog},
	{"AsOfNeverGoesBack", asOfNeverGoesBack},

	{"QuestionsOpenAndClose", questionsOpenAndClose},
	{"QuestionsComeBackWhole", questionsComeBackWhole},
	{"QuestionsComePageByPage", questionsComePageByPage},
	{"QuestionsCanBeAskedFor", questionsCanBeAskedFor},
	{"PairsAreFoundFromEitherSide", pairsAreFoundFromEitherSide},
	{"AQuestionsHistoryComesInOrder", aQuestionsHistoryComesInOrder},
	{"TheLastWordOnAQuestionHolds", theLastWordOnAQuestionHolds},

	{"AuthorsHearWholeVersions", authorsHearWholeVersions},
	{"TellingsComeBackWhole", tellingsComeBackWhole},

	{"EveryRowKeepsItsLink", everyRowKeepsItsLink},
	{"RowsWithoutALinkAreGivenOne", rowsWithoutALinkAreGivenOne},
	{"TheLogIsToldInOrder", theLogIsToldInOrder},

	{"ChangesAreFoundByTheirNumbers", changesAreFoundByTheirNumbers},
	{"AnAuthorsLogComesNewestFirst", anAuthorsLogComesNewestFirst},
	{"HowAChangeWasLetInIsKept", howAChangeWasLetInIsKept},
	{"ARecordStandsOnlyForARowThatSaysAll", aRecordStandsOnlyForARowThatSaysAll},

	{"BlocksReachBothEndsOfTheKeys", blocksReachBothEndsOfTheKeys},
	{"BlocksAreBounded", blocksAreBounded},
	{"WhoStandsAlikeIsFound", whoStandsAlikeIsFound},
	{"RecordsMoveWithinTheIndex", recordsMoveWithinTheIndex},
	{"LinksLeadToTheSurvivor", linksLeadToTheSurvivor},
	{"ManyAreAbsorbed", manyAreAbsorbed},
	{"SignaturesAreReplaced", signaturesAreReplaced},

	{"AlertsAreNumberedWithoutHoles", alertsAreNumberedWithoutHoles},
	{"WhatRestatesADayIsAddedUp", whatRestatesADayIsAddedUp},
	{"ADaysSignaturesAreFound", aDaysSignaturesAreFound},
	{"HooksComeBackWhole", hooksComeBackWhole},
	{"AnAlertIsQueuedOnce", anAlertIsQueuedOnce},
	{"ALineGoesOutInOrder", aLineGoesOutInOrder},
	{"AHookWithManyLinesHidesNoOther", aHookWithManyLinesHidesNoOther},
	{"ADeliveryIsClaimedByOne", aDeliveryIsClaimedByOne},
	{"WhatWasGivenUpCanGoOutAgain", whatWasGivenUpCanGoOutAgain},

	{"TurnsComeBackWhole", turnsComeBackWhole},
	{"TheRevisionComesWithTheTurns", theRevisionComesWithTheTurns},
	{"AGroupThatSaysNothingIsLost", aGroupThatSaysNothingIsLost},
	{"AGroupThatFailsIsNoTurn", aGroupThatFailsIsNoTurn},
	{"AGroupSeesTheTurnsBeforeIt", aGroupSeesTheTurnsBeforeIt},
	{"ATurnIsKnownByItsName", aTurnIsKnownByItsName},
	{"ATurnThatNobodyReadsIsOnlyCounted", aTurnThatNobodyReadsIsOnlyCounted},
	{"RevisionsThatReplaceOneAnotherDiffer", revisionsThatReplaceOneAnotherDiffer},
	{"OldTurnsAreClearedAway", oldTurnsAreClearedAway},
	{"APurgeSilencesTurns", aPurgeSilencesTurns},
	{"WhatAnotherHandleNumberedKeepsItsNumber", whatAnotherHandleNumberedKeepsItsNumber},

	{"RederivingReplacesWhatWasDerived", rederivingReplacesWhatWasDerived},
	{"QuestionsOutliveRederiving", questionsOutliveRederiving},
	{"QuestionsRaisedByRederivingAreOfNow", questionsRaisedByRederivingAreOfNow},
	{"RulesAreNoted", rulesAreNoted},
	{"RecordsMoveToTheStreamOfTheirKind", recordsMoveToTheStreamOfTheirKind},

	{"APurgedRecordIsAName", aPurgedRecordIsAName},
	{"WhatWaitsForAPurgedRecordIsKept", whatWaitsForAPurgedRecordIsKept},
	{"APurgeLeavesNoTrailOfWhatWasSaid", aPurgeLeavesNoTrailOfWhatWasSaid},
	{"WhatIsCarriedAddsUp", whatIsCarriedAddsUp},
	{"EveryPurgeIsALine", everyPurgeIsALine},
	{"APurgeThatFailsLeavesEverything", aPurgeThatFailsLeavesEverything},
	{"WhatHasNotChangedSinceIsFound", whatHasNotChangedSinceIsFound},

	{"RostersComeAreaByArea", rostersComeAreaByArea},
	{"RostersCanKeepToAKind", rostersCanKeepToAKind},
	{"RostersGoOnWhereTheyEnded", rostersGoOnWhereTheyEnded},

	{"NewAreasGetTheNextKeys", newAreasGetTheNextKeys},
	{"AreasComeByTheThousand", areasComeByTheThousand},
	{"IdentitiesComeBackInOrder", identitiesComeBackInOrder},
	{"IdentitiesAreReplaced", identitiesAreReplaced},
	{"TheLogEnrolsNobody", theLogEnrolsNobody},
	{"AccountsComeBackWhole", accountsComeBackWhole},
	{"ALoginIsOnePersons", aLoginIsOnePersons},
	{"APersonHasOneLink", aPersonHasOneLink},
	{"AttemptsOfNobodyAreKept", attemptsOfNobodyAreKept},
	{"SessionsComeAndGo", sessionsComeAndGo},
	{"TheConsoleKeepsAllOrNothing", theConsoleKeepsAllOrNothing},
	{"RevisionRisesWithEveryChange", revisionRisesWithEveryChange},
	{"ASecondHandleIsHeard", aSecondHandleIsHeard},

	{"LinesComeBackWhole", linesComeBackWhole},
	{"LinesCanBeAskedFor", linesCanBeAskedFor},
	{"LinesOfARecordComeNewestFirst", linesOfARecordComeNewestFirst},
	{"APageOfTheAuditIsBounded", aPageOfTheAuditIsBounded},
	{"TheAuditEnrolsNobody", theAuditEnrolsNobody},

	{"InvitationsComeBackWhole", invitationsComeBackWhole},
	{"WhoIsLetInIsThereWhole", whoIsLetInIsThereWhole},
	{"AnInvitationIsSpentOnce", anInvitationIsSpentOnce},
	{"WhoWaitsIsSettledOnce", whoWaitsIsSettledOnce},
	{"ARefreshTokenTurnsOnce", aRefreshTokenTurnsOnce},
	{"StandingsAndJoinsDontUndoEachOther", standingsAndJoinsDontUndoEachOther},
	{"PhonesTellTheirBacklog", phonesTellTheirBacklog},

	{"WhatIsPublishedStays", whatIsPublishedStays},
	{"DraftsAreReplacedAndDropped", draftsAreReplacedAndDropped},
	{"SettingsAreToldInOrder", settingsAreToldInOrder},

	{"BootTellsWhatIsWaitedFor", bootTellsWhatIsWaitedFor},
	{"HeadsAreKeptWhole", headsAreKeptWhole},
	{"ANewEpochLeavesLostNumbersBehind", aNewEpochLeavesLostNumbersBehind},
	{"WhatLetsInOnceDoesNotComeBackWithABackup", whatLetsInOnceDoesNotComeBackWithABackup},
	{"HistoriesTellEverything", historiesTellEverything},
	{"HistoriesReadOneMoment", historiesReadOneMoment},
	{"HistoriesStopWhenAsked", historiesStopWhenAsked},
	{"ReopenKeepsEverything", reopenKeepsEverything},
}
